// What names may be, so that a form can say it before the server does. The server decides.

export const USER_NAME = /^[a-z0-9][a-z0-9-]{0,38}$/;
export const PACKAGE_NAME = /^(?=.{1,100}$)[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$/;
export const PLATFORM_NAME = /^(?=.{1,64}$)[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*$/;
export const PASSWORD_CHARS_MIN = 10;
