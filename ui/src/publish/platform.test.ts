import { describe, expect, it } from 'vitest';

import { guessPlatform, platformLabel, suitable, visitorPlatform } from './platform';

const DEFAULTS = ['any', 'linux-x64', 'linux-arm64', 'windows-x64', 'windows-arm64', 'macos-x64', 'macos-arm64'];

describe('the platform of a file', () => {
  it.each([
    ['app-1.0.0-linux-x64.tar.gz', 'linux-x64'],
    ['app_1.0.0_amd64.deb', 'linux-x64'],
    ['app_1.0.0_arm64.deb', 'linux-arm64'],
    ['app-1.0.0-1.x86_64.rpm', 'linux-x64'],
    ['app-1.0.0.aarch64.rpm', 'linux-arm64'],
    ['App-1.0.0-x86_64.AppImage', 'linux-x64'],
    ['App-1.0.0.AppImage', 'linux-x64'],
    ['app-x86_64-unknown-linux-musl.tar.gz', 'linux-x64'],
    ['app-aarch64-unknown-linux-gnu.tar.gz', 'linux-arm64'],
    ['app-linux64.zip', 'linux-x64'],
    ['app-x86_64.tar.xz', 'linux-x64'],
    ['app-x86_64-pc-windows-msvc.zip', 'windows-x64'],
    ['app-aarch64-pc-windows-msvc.zip', 'windows-arm64'],
    ['app-win-x64.zip', 'windows-x64'],
    ['app-win64.zip', 'windows-x64'],
    ['app-win32-x64.zip', 'windows-x64'],
    ['app-win32-arm64-1.2.zip', 'windows-arm64'],
    ['App Setup 1.0.0.exe', 'windows-x64'],
    ['app-1.0.0.msi', 'windows-x64'],
    ['app-arm64.msix', 'windows-arm64'],
    ['app-darwin-arm64.zip', 'macos-arm64'],
    ['app-aarch64-apple-darwin.tar.gz', 'macos-arm64'],
    ['app-x86_64-apple-darwin.tar.gz', 'macos-x64'],
    ['App-1.0.0-mac.zip', 'macos-arm64'],
    ['App-1.0.0-universal.dmg', 'macos-arm64'],
    ['App-1.0.0-intel.dmg', 'macos-x64'],
    ['App_x64.dmg', 'macos-x64'],
    ['app-osx-x64.tar.gz', 'macos-x64'],
    ['app_Darwin_x86_64.tar.gz', 'macos-x64'],
    ['app_Linux_arm64.tar.gz', 'linux-arm64'],
    ['app_Windows_x86_64.zip', 'windows-x64'],
    ['data-2026.11.zip', 'any'],
    ['window-theme.zip', 'any'],
    ['machine-arms.zip', 'any'],
    ['linuxdoc.zip', 'any'],
    ['README.md', 'any'],
    ['', 'any'],
  ])('%s', (name, platform) => {
    expect(guessPlatform(name, DEFAULTS).platform).toBe(platform);
  });

  it.each([
    ['omni.kit.window-1.0.0+wx64.r.zip', 'wx64.r'],
    ['omni.kit.window-1.0.0+wx64.r.cp310.zip', 'wx64.r.cp310'],
    ['thing-lx64.d.zip', 'lx64.d'],
    ['thing-win-x64.zip', 'wx64.r'],
    ['firmware-esp32-s3.bin', 'esp32-s3'],
    ['thing.zip', 'any'],
  ])('names that the owner made win: %s', (name, platform) => {
    expect(guessPlatform(name, ['any', 'wx64.r', 'wx64.r.cp310', 'lx64.d', 'esp32-s3']).platform).toBe(platform);
  });

  it('invents no platform', () => {
    expect(guessPlatform('app-linux-x64.zip', ['windows-x64']).platform).toBe('windows-x64');
    expect(guessPlatform('app-linux-x64.zip', []).platform).toBe('any');
    expect(guessPlatform('app-linux-x64.zip', ['any'])).toEqual({ platform: 'any', sure: false });
  });
});

describe('the platform of a visitor', () => {
  const chrome = (system: string) => `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150 Safari/537.36`;
  it.each([
    [chrome('X11; Linux x86_64'), 'linux-x64'],
    [chrome('X11; Linux aarch64'), 'linux-arm64'],
    [chrome('Windows NT 10.0; Win64; x64'), 'windows-x64'],
    [chrome('Macintosh; Intel Mac OS X 10_15_7'), 'macos-arm64'],
    [chrome('Linux; Android 14; Pixel'), 'any'],
    ['curl/8', 'any'],
  ])('%s', (agent, platform) => {
    expect(suitable(DEFAULTS, visitorPlatform(agent))).toBe(platform);
  });

  it('takes what runs too where there is nothing better', () => {
    expect(suitable(['macos-x64', 'linux-x64'], visitorPlatform(chrome('Macintosh; Intel Mac OS X')))).toBe('macos-x64');
    expect(suitable(['macos-x64'], visitorPlatform(chrome('X11; Linux x86_64')))).toBeUndefined();
  });

  it('believes hints about the machine', () => {
    const agent = chrome('Macintosh; Intel Mac OS X 10_15_7');
    expect(suitable(DEFAULTS, visitorPlatform(agent, { platform: 'macOS', architecture: 'x86' }))).toBe('macos-x64');
  });

  it('is said as people say it', () => {
    expect(platformLabel('linux-x64')).toBe('Linux x64');
    expect(platformLabel('wx64.r')).toBe('wx64.r');
  });
});
