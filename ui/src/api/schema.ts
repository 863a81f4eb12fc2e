// Made by build/schema.ts from src/http/openapi; not to be edited.

export interface paths {
    "/api/v1/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What was done on the server, newest first; for admins. A page may hold less than there is room for and still have a next one. */
        get: operations["admin_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/backup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A backup of everything as of one moment, while the server runs; for admins. A tar file: backup.json, the files of a data directory, digests.json. One at a time (409). */
        get: operations["admin_backup"];
        put?: never;
        /** The same without what the caller has from an earlier backup. */
        post: operations["admin_backup_further"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/settings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The settings with which the server runs, none of them secret; for admins. */
        get: operations["admin_settings"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/status": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the server runs; for admins. */
        get: operations["admin_status"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/admin/storage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is stored, and what room there is; for admins. */
        get: operations["admin_storage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/attention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What waits for the caller: drafts, scheduled releases and unfinished uploads. */
        get: operations["attention"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/auth": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the token that is shown opens. */
        get: operations["auth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own channels. */
        get: operations["channels"];
        put?: never;
        /** Makes a channel. */
        post: operations["create_channel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/channels/{channel}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a channel that has no releases. */
        delete: operations["delete_channel"];
        options?: never;
        head?: never;
        /** Changes a channel. */
        patch: operations["change_channel"];
        trace?: never;
    };
    "/api/v1/channels/{channel}/retention": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
            };
            cookie?: never;
        };
        /** What the retention rule of a channel would remove, or one that is not saved yet. */
        get: operations["preview_retention"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What changes, as it changes: server-sent events.
         * @description `package` and `package_gone` with `{"package"}`, `release` and `release_gone` with `{"package", "channel", "version"}`, `account` for what is the caller's own, `reset` where the client is to look at everything again. Only what the caller may see at that moment.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/invitation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Chooses a password by an invitation, once, and signs in.
         * @description 404 where it was used or replaced, 410 where it is over.
         */
        post: operations["accept_invitation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/markdown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** What a text looks like as a description or as release notes; for users. */
        post: operations["preview_markdown"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The packages that the caller may see. */
        get: operations["packages"];
        put?: never;
        /** Makes a package in the caller's namespace. */
        post: operations["create_package"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        /** One package. */
        get: operations["package"];
        put?: never;
        post?: never;
        /** Deletes a package with all its releases. */
        delete: operations["delete_package"];
        options?: never;
        head?: never;
        /** Changes a package. */
        patch: operations["change_package"];
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/audit": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        /** What was done to a package, newest first; for its owners. */
        get: operations["package_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/members": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        /** The members of a package, its owner first. */
        get: operations["members"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/members/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        get?: never;
        /** Lets a user in, or changes the role. */
        put: operations["put_member"];
        post?: never;
        /** Takes a member out. Members may leave by themselves. */
        delete: operations["delete_member"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/offers": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        /**
         * What each platform is offered.
         * @description By the rule of the update check: the platform's own archive of the newest release that has one; an archive for `any` counts in a release without an archive for a specific platform. Nothing is counted as an update check.
         */
        get: operations["offers"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/releases": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        /** The releases of a package, highest version first. Readers see active ones, maintainers drafts too. */
        get: operations["releases"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/releases/{channel}/{version}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        /** One release. */
        get: operations["release"];
        /** Makes a release, or changes it. A new one is a draft unless the body says otherwise. */
        put: operations["put_release"];
        post?: never;
        /** Deletes a release with its files. */
        delete: operations["delete_release"];
        options?: never;
        head?: never;
        /** Changes a release. */
        patch: operations["change_release"];
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/releases/{channel}/{version}/files/{platform}/{display_name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        /** Downloads a file. Ranges, If-Range and If-None-Match work. */
        get: operations["file"];
        /**
         * Uploads a file: the body is its bytes.
         * @description Once its release was active a file never changes: other bytes are 409, the same bytes a success.
         */
        put: operations["put_file"];
        post?: never;
        /** Deletes a file. */
        delete: operations["delete_file"];
        options?: never;
        head?: never;
        /**
         * Chooses the role of a file of a draft.
         * @description A platform has one archive at most: where a file becomes it, the former archive becomes an attachment. Once its release was active, the archive of a platform stays what it is: 409.
         */
        patch: operations["change_file"];
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/releases/{channel}/{version}/files/{platform}/{display_name}/external": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Publishes a file whose bytes are elsewhere. */
        post: operations["put_external"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/releases/{channel}/{version}/files/{platform}/{display_name}/manifest": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        /** The manifest of a file. */
        get: operations["manifest"];
        /** Sets the manifest of a file. */
        put: operations["put_manifest"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/releases/{channel}/{version}/files/{platform}/{display_name}/requirements": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        get?: never;
        /** Sets what a file requires. */
        put: operations["put_requirements"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/statistics": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        /** Downloads and update checks of a package by day, for those who may publish. */
        get: operations["statistics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/packages/{namespace}/{name}/tokens/{kind}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kind: "access" | "private";
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replaces a token of a package; the old one stops at once. */
        post: operations["replace_package_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/platforms": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own platforms. */
        get: operations["platforms"];
        put?: never;
        /** Makes a platform. */
        post: operations["create_platform"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/platforms/{platform}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes a platform that no file is for. */
        delete: operations["delete_platform"];
        options?: never;
        head?: never;
        /** Renames a platform that no file is for. */
        patch: operations["rename_platform"];
        trace?: never;
    };
    "/api/v1/requirements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What every newer release requires, newest first. */
        get: operations["requirements"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Public packages with their newest version. */
        get: operations["search"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who is signed in. */
        get: operations["session"];
        put?: never;
        /**
         * Signs in.
         * @description After some failures, tries from the same address or for the same account have to wait: 429 with Retry-After.
         */
        post: operations["sign_in"];
        /** Signs out. */
        delete: operations["sign_out"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes the first account, an admin, and signs it in. */
        post: operations["setup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Own API tokens. */
        get: operations["tokens"];
        put?: never;
        /** Makes an API token. */
        post: operations["create_token"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Deletes an API token, which stops to work at once. */
        delete: operations["delete_token"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/updates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The update check: the newest release above `version` that has a file for the platform.
         * @description Errors have `success`, `code` and `message` beside the fields of a problem.
         */
        get: operations["updates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The caller's unfinished uploads, oldest first. */
        get: operations["uploads"];
        put?: never;
        /**
         * Begins a resumable upload (tus 1.0.0).
         * @description `Upload-Metadata` says what the bytes are to become. The first bytes may come along. Everything that can be refused before the first byte is.
         */
        post: operations["create_upload"];
        delete?: never;
        /** What resumable uploads can do: the version, extensions, checksums and largest size. */
        options: operations["upload_options"];
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/uploads/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The upload's number, from its address. */
                id: number;
            };
            cookie?: never;
        };
        /** One unfinished upload of the caller's. By HEAD, how far it is, as tus says. */
        get: operations["upload"];
        put?: never;
        post?: never;
        /** Gives an upload up. */
        delete: operations["delete_upload"];
        options?: never;
        head?: never;
        /**
         * Brings the next bytes of an upload. The last ones publish the file.
         * @description A refusal is the same as that of `PUT` of the file, and leaves nothing behind. 409 with `Upload-Offset` says where to go on, 423 that another request sends bytes at the moment, 460 that they do not have their checksum.
         */
        patch: operations["continue_upload"];
        trace?: never;
    };
    "/api/v1/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** All users, by name. */
        get: operations["users"];
        put?: never;
        /** Makes a user. */
        post: operations["create_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/users/{user}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        /** One user: oneself, or any for an admin. */
        get: operations["user"];
        put?: never;
        post?: never;
        /** Deletes a user with all that is the user's. */
        delete: operations["delete_user"];
        options?: never;
        head?: never;
        /** Changes a user: an admin everything, everyone else their own password. */
        patch: operations["change_user"];
        trace?: never;
    };
    "/api/v1/users/{user}/invitation": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Makes a new link by which a user chooses a password: also the way out of a forgotten one. The former link stops to work, the present password holds until the new one is set. */
        post: operations["invite_user"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/download/{namespace}/{name}/{channel}/{version}/{platform}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                /** @description A version, or `latest`. */
                version: string;
            };
            cookie?: never;
        };
        /** A link to the archive of a release. */
        get: operations["download"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/download/{namespace}/{name}/{channel}/{version}/{platform}/{display_name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                /** @description A version, or `latest`. */
                version: string;
            };
            cookie?: never;
        };
        /** A link to a file of a release. */
        get: operations["download_file"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process lives. */
        get: operations["healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/kit/v2/packages/{full_name}.gz": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
            };
            cookie?: never;
        };
        /**
         * The versions of a package, in the second dialect.
         * @description The same under `/channels/CHANNEL/…` for one channel and those it includes.
         */
        get: operations["kit_package"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/kit/v2/registry.gz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The same in the second dialect of the index.
         * @description The same under `/channels/CHANNEL/…` for one channel and those it includes.
         */
        get: operations["kit_registry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/kit/v2/summaries.gz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What each package is, in the second dialect.
         * @description The same under `/channels/CHANNEL/…` for one channel and those it includes.
         */
        get: operations["kit_summaries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Counters for Prometheus. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the index is served. */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/registry/publish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Publishes in one call: package, release, platform and file are made where they are missing.
         * @description The same under `/kit/registry/publish`. Name and version in the metadata decide how the package id is split, and must agree with it; what follows a `+` is a platform where the version in the metadata ends before it, where the metadata names targets, or where the owner has that platform.
         */
        post: operations["registry_publish"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/registry/unpublish": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Yanks the release that a package id stands for.
         * @description The same under `/kit/registry/unpublish`.
         */
        post: operations["registry_unpublish"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/archives/{full_name}/{package_id}.json": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
                /** @description Full name, a dash, and the package id. */
                package_id: string;
            };
            cookie?: never;
        };
        /** The manifest of an archive. */
        get: operations["archive_manifest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/archives/{full_name}/{package_id}/{display_name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                full_name: string;
                /** @description Full name, a dash, and the package id. */
                package_id: string;
            };
            cookie?: never;
        };
        /** The bytes of an archive. */
        get: operations["archive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Which files of the index changed since a serial.
         * @description 410 where that is too long ago, or where private packages are seen and `registry` is missing or not that of a state that this reader was given lately.
         */
        get: operations["index_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/packages/{full_name}.gz": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
            };
            cookie?: never;
        };
        /**
         * The versions of a package, a line each.
         * @description The same under `/channels/CHANNEL/…` for one channel and those it includes.
         */
        get: operations["index_package"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/registry.gz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The hash of every file of the index.
         * @description The same under `/channels/CHANNEL/…` for one channel and those it includes.
         */
        get: operations["index_registry"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/releases/{full_name}.json": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
            };
            cookie?: never;
        };
        /**
         * What the lines of a package leave out, so that a copy of the index can become packages again.
         * @description The same under `/channels/CHANNEL/…` for one channel and those it includes.
         */
        get: operations["index_releases"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v2/summaries.gz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What each package is.
         * @description The same under `/channels/CHANNEL/…` for one channel and those it includes.
         */
        get: operations["index_summaries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * @example {
         *       "id": 7,
         *       "name": "laptop",
         *       "scopes": [
         *         "publish"
         *       ],
         *       "created": "2026-11-21T10:00:00Z",
         *       "expires": null,
         *       "last_used": null
         *     }
         */
        ApiToken: {
            /** Format: date-time */
            created: string;
            /** Format: date-time */
            expires: string | null;
            /** Format: int64 */
            id: number;
            /**
             * Format: date-time
             * @description To within ten minutes.
             */
            last_used: string | null;
            /** @description What its owner calls it. */
            name: string;
            scopes: components["schemas"]["Scope"][];
        };
        /** @description A page of a list. */
        ApiTokenPage: {
            items: components["schemas"]["ApiToken"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "name": "laptop",
         *       "scopes": [
         *         "publish"
         *       ],
         *       "expires": null
         *     }
         */
        ApiTokenRequest: {
            /** Format: date-time */
            expires?: string | null;
            name: string;
            scopes: components["schemas"]["Scope"][];
        };
        Attention: {
            drafts: components["schemas"]["WaitingRelease"][];
            scheduled: components["schemas"]["WaitingRelease"][];
            uploads: components["schemas"]["Upload"][];
        };
        /**
         * @example {
         *       "id": 7,
         *       "at": "2026-11-21T10:00:00Z",
         *       "actor": "omni",
         *       "actor_kind": "api_token",
         *       "token_name": "ci",
         *       "address": "192.0.2.1",
         *       "action": "file_added",
         *       "package": "omni.kit.window",
         *       "subject": "stable/1.0.0/any/a.zip"
         *     }
         */
        AuditEntry: {
            /** @enum {string} */
            action: "set_up" | "signed_in" | "sign_in_blocked" | "user_created" | "user_invited" | "invitation_accepted" | "password_changed" | "user_changed" | "user_deleted" | "token_created" | "token_deleted" | "channel_created" | "channel_changed" | "channel_deleted" | "platform_created" | "platform_renamed" | "platform_deleted" | "package_created" | "package_changed" | "package_deleted" | "access_token_replaced" | "private_token_replaced" | "member_added" | "member_changed" | "member_removed" | "release_created" | "release_published" | "release_scheduled" | "release_withdrawn" | "release_yanked" | "release_restored" | "release_changed" | "release_deleted" | "file_added" | "file_replaced" | "file_role_set" | "manifest_set" | "requirements_set" | "file_deleted" | "backup_made";
            /** @description The user, where it was one. */
            actor: string | null;
            /** @enum {string} */
            actor_kind: "user" | "api_token" | "private_token" | "setup" | "server";
            /** @description Whence. */
            address: string | null;
            /** Format: date-time */
            at: string;
            detail?: string;
            /**
             * Format: int64
             * @description Later ones have higher ids.
             */
            id: number;
            /** @description The package's full name. */
            package?: string;
            /** @description What it was done to: a user, a release (`stable/1.0.0`), a file (`stable/1.0.0/any/a.zip`). */
            subject?: string;
            /** @description What the API token is called. */
            token_name?: string;
        };
        /** @description A page of a list. */
        AuditPage: {
            items: components["schemas"]["AuditEntry"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "finished": "2026-11-21T03:00:07Z",
         *       "serial": 1,
         *       "failed": null,
         *       "problem": null,
         *       "scheduled": null
         *     }
         */
        Backups: {
            /**
             * Format: date-time
             * @description When the last backup failed, if none was complete since.
             */
            failed: string | null;
            /**
             * Format: date-time
             * @description When the last backup was complete; null where there was none since the server started.
             */
            finished: string | null;
            /** @description Why. */
            problem: string | null;
            /** @description The backups that the server makes by itself; null where it makes none. */
            scheduled: {
                /**
                 * Format: date-time
                 * @description When the newest one in their folder was made, by whichever run of the server.
                 */
                newest: string | null;
                /**
                 * Format: date-time
                 * @description When the next one is made; null while one is.
                 */
                next: string | null;
            } | null;
            /**
             * Format: int64
             * @description Its serial.
             */
            serial: number | null;
        };
        /**
         * @description A package without its description.
         * @example {
         *       "namespace": "omni",
         *       "name": "kit.window",
         *       "full_name": "omni.kit.window",
         *       "title": "Window",
         *       "icon": null,
         *       "summary": "Window",
         *       "visibility": "public",
         *       "version_scheme": "semver",
         *       "private_token_set": false,
         *       "role": null,
         *       "latest": {
         *         "stable": "1.10.0"
         *       },
         *       "downloads": 12,
         *       "default_channel": "stable",
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        BriefPackage: {
            /** @description Opens the private package; only for its owners. */
            access_token?: string;
            /**
             * Format: date-time
             * @description When it, or anything of it, last changed.
             */
            changed: string;
            /** @description The owner's; only for those who may publish. */
            channels?: string[];
            /** Format: date-time */
            created: string;
            /** @description The channel of those who ask for none. */
            default_channel: string;
            /**
             * Format: int64
             * @description How often its files were downloaded, those that are gone too.
             */
            downloads: number;
            /** @description `NAMESPACE.NAME` */
            full_name: string;
            /** @description From the newest manifest: an address, or a path in the archive. */
            icon: string | null;
            /** @description Channel to the highest version that is offered there. */
            latest: {
                [key: string]: string;
            };
            name: string;
            namespace: string;
            /** @description The owner's; only for those who may publish. */
            platforms?: string[];
            /** @description Whether there is a token that publishes to it. */
            private_token_set: boolean;
            role: components["schemas"]["Role"] | null;
            /** @description What the description says first below its heading, as plain text; where it says nothing, what the newest manifest does. */
            summary: string;
            /** @description From the newest manifest. */
            title: string | null;
            version_scheme: components["schemas"]["VersionScheme"];
            visibility: components["schemas"]["Visibility"];
        };
        /**
         * @example {
         *       "name": "beta",
         *       "short": "beta",
         *       "default": false,
         *       "includes": [
         *         "stable"
         *       ],
         *       "retention": {
         *         "keep_newest": 10,
         *         "keep_days": 90,
         *         "keep_downloaded_days": null
         *       },
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        Channel: {
            /** Format: date-time */
            changed: string;
            /** Format: date-time */
            created: string;
            /** @description Exactly one of a user's channels is the default. */
            default: boolean;
            includes: string[];
            name: string;
            retention: components["schemas"]["Retention"] | null;
            /** @description For narrow columns: at most 8 characters. */
            short: string;
        };
        /** @description A page of a list. */
        ChannelPage: {
            items: components["schemas"]["Channel"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "default": true
         *     }
         * @example {
         *       "retention": {
         *         "keep_newest": 10,
         *         "keep_days": 90
         *       }
         *     }
         */
        ChannelPatch: {
            /** @description `true` makes it the default, which it cannot give up, only hand on. */
            default?: boolean;
            includes?: string[];
            name?: string;
            /** @description Replaces the whole rule; null removes it, and everything stays. */
            retention?: components["schemas"]["NewRetention"] | null;
            short?: string;
        };
        /** @description How often on a day. */
        Count: {
            channel: string;
            /** Format: int64 */
            count: number;
            /** @description The day in UTC, such as 2026-11-21. */
            date: string;
            platform: string;
            /** @description What was downloaded, or asked; empty where none was said, `other` where there were too many. */
            version: string;
        };
        /**
         * @example {
         *       "package": "omni.kit",
         *       "version": "1.2.0",
         *       "published": "2026-03-21T10:00:00Z",
         *       "yanked": false,
         *       "files": 3,
         *       "size": 107374182,
         *       "last_download": null,
         *       "reason": "not among the 10 newest; published 245 days ago, kept for 90"
         *     }
         */
        DoomedRelease: {
            files: number;
            /**
             * Format: date
             * @description With `keep_downloaded_days`: the day, if one is known.
             */
            last_download: string | null;
            package: string;
            /** Format: date-time */
            published: string | null;
            /** @description Why no condition keeps it. */
            reason: string;
            /**
             * Format: int64
             * @description Bytes of its files that are kept here.
             */
            size: number;
            version: string;
            yanked: boolean;
        };
        /**
         * @example {
         *       "url": "https://archives.example.org/window.zip",
         *       "size": 3,
         *       "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
         *     }
         */
        ExternalFile: {
            sha256: string;
            /** Format: int64 */
            size: number;
            url: string;
        };
        /**
         * @example {
         *       "platform": "linux-x64",
         *       "display_name": "window.zip",
         *       "role": "archive",
         *       "filename": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
         *       "size": 3,
         *       "mime_type": "application/zip",
         *       "extension": "zip",
         *       "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
         *       "crc32": "8c736521",
         *       "external_url": null,
         *       "requirements": [],
         *       "downloads": 3,
         *       "url": "https://packages.example.org/api/v1/packages/omni/kit.window/releases/stable/1.0.0/files/linux-x64/window.zip",
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        File: {
            /** Format: date-time */
            changed: string;
            /** @description 8 hexadecimal digits; none where the content is elsewhere. */
            crc32: string | null;
            /** Format: date-time */
            created: string;
            /** @description Its original name. */
            display_name: string;
            /**
             * Format: int64
             * @description How often it was downloaded to its end.
             */
            downloads: number;
            extension: string;
            /** @description Where its content is, if elsewhere. */
            external_url: string | null;
            /** @description The name of its content; none where that is elsewhere. */
            filename: string | null;
            mime_type: string;
            platform: string;
            requirements: components["schemas"]["Requirement"][];
            /**
             * @description Whether it is the release for its platform, of which there is one at most, or a file that stands beside it. Unless somebody chose the role, the names of the files decide: signatures, checksums, block maps and the like are attachments, and of the rest the first is the archive.
             * @enum {string}
             */
            role: "archive" | "attachment";
            sha256: string | null;
            /**
             * Format: int64
             * @description Null where the file is elsewhere and nobody gave its size.
             */
            size: number | null;
            /** @description Where it can be downloaded. */
            url: string;
            warnings?: components["schemas"]["Warnings"];
        };
        /**
         * @example {
         *       "role": "archive"
         *     }
         */
        FilePatch: {
            /**
             * @description `null` leaves it to the names of the files.
             * @enum {string|null}
             */
            role: "archive" | "attachment" | null;
        };
        /**
         * @example {
         *       "full_name": "omni.kit.window",
         *       "description": "Windows and widgets.",
         *       "version": "1.10.0",
         *       "released": "2026-11-21T10:00:00Z"
         *     }
         */
        FoundPackage: {
            /** @description The first line. */
            description: string;
            full_name: string;
            /** Format: date-time */
            released: string | null;
            version: string;
        };
        /** @description A page of a list. */
        FoundPackagePage: {
            items: components["schemas"]["FoundPackage"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        IndexChanges: {
            /** @description Path to hash, or null where the file is gone. */
            files: {
                [key: string]: string | null;
            };
            /** @description Package to the decompressed text of its file, with `packages=true` and as many as fit in 4 MiB. Fetch the files of the others. */
            packages?: {
                [key: string]: string;
            };
            /** @description CRC-32 of the decompressed `registry.gz` now, 8 hexadecimal digits. */
            registry: string;
            /** Format: int64 */
            serial: number;
            /** @description Package to its entry of `summaries.gz`, or null where it is gone. */
            summaries: {
                [key: string]: {
                    [key: string]: unknown;
                } | null;
            };
        };
        /**
         * @example {
         *       "invitation": "9f86d081…",
         *       "invitation_expires": "2026-11-28T10:00:00Z"
         *     }
         */
        Invitation: {
            /** @description The secret of a link by which the user chooses a password. */
            invitation: string;
            /**
             * Format: date-time
             * @description Seven days from now.
             */
            invitation_expires: string;
        };
        /**
         * @example {
         *       "token": "9f86d081…",
         *       "password": "correct horse battery"
         *     }
         */
        InvitationRequest: {
            /**
             * Format: password
             * @description At least 10 characters.
             */
            password: string;
            /** @description The link's secret. */
            token: string;
        };
        /**
         * @example {
         *       "volumes": [
         *         {
         *           "number": 1,
         *           "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
         *         }
         *       ]
         *     }
         */
        KnownVolumes: {
            volumes: {
                /**
                 * Format: int64
                 * @description As in the file's name.
                 */
                number: number;
                /** @description Of the file, as digests.json had it. */
                sha256: string;
            }[];
        };
        /** @description A package in a list: with its description, unless a brief view was asked for. */
        ListedPackage: components["schemas"]["BriefPackage"] & {
            /** @description Markdown. */
            description?: string;
            /** @description The same as safe HTML. */
            description_html?: string;
        };
        /**
         * @example {
         *       "id": "1.0.0+wx64.r",
         *       "version": "1.0.0",
         *       "platform": "wx64.r",
         *       "channel": "stable",
         *       "published": "2026-11-21T08:30:00Z",
         *       "display_name": "window.zip",
         *       "mime_type": "application/zip",
         *       "manifest_sha256": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
         *     }
         */
        ListedRelease: {
            channel: string | null;
            /** @description Release notes, where there are any. */
            description?: string;
            display_name: string;
            /** @description The package id: `VERSION[+PLATFORM]`. */
            id: string;
            /** @description Digest of `archives/FULLNAME/FULLNAME-ID.json`. */
            manifest_sha256: string;
            mime_type: string;
            platform: string;
            /** Format: date-time */
            published: string | null;
            requirements?: components["schemas"]["Requirement"][];
            version: string;
            /** @description Why, where it is. */
            yanked?: string;
        };
        /**
         * @description The dictionary that is published with an archive, at most 1 MiB.
         * @example {
         *       "package": {
         *         "title": "Window"
         *       }
         *     }
         */
        Manifest: {
            [key: string]: unknown;
        };
        /**
         * @example {
         *       "html": "<p><em>Hello</em></p>\n"
         *     }
         */
        MarkdownPreview: {
            html: string;
        };
        /**
         * @example {
         *       "text": "*Hello*"
         *     }
         */
        MarkdownRequest: {
            /** @description Markdown, at most 256 KiB. */
            text: string;
        };
        /**
         * @example {
         *       "user": "mara",
         *       "role": "maintainer",
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        Member: {
            /** Format: date-time */
            changed: string;
            /** Format: date-time */
            created: string;
            role: components["schemas"]["Role"];
            user: string;
        };
        /** @description A page of a list. */
        MemberPage: {
            items: components["schemas"]["Member"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "role": "maintainer"
         *     }
         */
        MemberRequest: {
            role: components["schemas"]["Role"];
        };
        NewApiToken: components["schemas"]["ApiToken"] & {
            /** @description The token itself. */
            secret: string;
        };
        /**
         * @example {
         *       "name": "nightly",
         *       "includes": [
         *         "beta"
         *       ]
         *     }
         */
        NewChannel: {
            default?: boolean;
            includes?: string[];
            name: string;
            retention?: components["schemas"]["NewRetention"] | null;
            short?: string;
        };
        /**
         * @example {
         *       "name": "kit.window",
         *       "description": "Windows and widgets.",
         *       "visibility": "public"
         *     }
         */
        NewPackage: {
            /** @description Markdown, at most 256 KiB. */
            description?: string;
            /** @description `[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*`, at most 100 bytes. */
            name: string;
            version_scheme?: components["schemas"]["VersionScheme"];
            visibility?: components["schemas"]["Visibility"];
        };
        /**
         * @description At least one condition; what is left out is not set.
         * @example {
         *       "keep_newest": 10,
         *       "keep_days": 90
         *     }
         */
        NewRetention: {
            keep_days?: number | null;
            keep_downloaded_days?: number | null;
            keep_newest?: number | null;
        };
        NewUser: components["schemas"]["User"] & {
            /** @description The secret of a link by which the user chooses a password. */
            invitation?: string;
            /** Format: date-time */
            invitation_expires?: string;
        };
        /**
         * @example {
         *       "name": "ada"
         *     }
         */
        NewUserRequest: {
            admin?: boolean;
            /** @description `[a-z0-9][a-z0-9-]{0,38}`; it becomes a namespace. */
            name: string;
            /**
             * Format: password
             * @description Without it, the user is invited to choose one.
             */
            password?: string;
            /** Format: int64 */
            quota_bytes?: number | null;
        };
        Offer: {
            /** @description The channel that the release is on. */
            channel: string;
            file: components["schemas"]["File"];
            /** @description The platform; `null` for all those that the package has no files for. */
            platform: string | null;
            /** Format: date-time */
            published: string | null;
            version: string;
        };
        /** @description A page of a list. */
        OfferPage: {
            items: components["schemas"]["Offer"][];
            next: null;
        };
        /**
         * @example {
         *       "full_name": "omni.kit.window",
         *       "visibility": "private",
         *       "role": "reader"
         *     }
         */
        OpenedPackage: {
            full_name: string;
            role: components["schemas"]["Role"];
            visibility: components["schemas"]["Visibility"];
        };
        /** @description A page of a list. */
        OpenedPackagePage: {
            items: components["schemas"]["OpenedPackage"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @description A package.
         * @example {
         *       "namespace": "omni",
         *       "name": "kit.window",
         *       "full_name": "omni.kit.window",
         *       "title": "Window",
         *       "icon": null,
         *       "summary": "Window",
         *       "description": "# Window",
         *       "description_html": "<h1>Window</h1>\n",
         *       "visibility": "public",
         *       "version_scheme": "semver",
         *       "private_token_set": false,
         *       "role": null,
         *       "latest": {
         *         "stable": "1.10.0"
         *       },
         *       "downloads": 12,
         *       "default_channel": "stable",
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        Package: components["schemas"]["BriefPackage"] & {
            /** @description Markdown. */
            description: string;
            /** @description The same as safe HTML. */
            description_html: string;
        };
        /** @description A page of a list. */
        PackagePage: {
            items: components["schemas"]["ListedPackage"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "visibility": "private"
         *     }
         */
        PackagePatch: {
            description?: string;
            version_scheme?: components["schemas"]["VersionScheme"];
            visibility?: components["schemas"]["Visibility"];
        };
        /**
         * @example {
         *       "token": "ph_acc_…"
         *     }
         */
        PackageToken: {
            token: string;
        };
        /**
         * @example {
         *       "name": "linux-x64",
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        Platform: {
            /** Format: date-time */
            changed: string;
            /** Format: date-time */
            created: string;
            name: string;
        };
        /** @description A page of a list. */
        PlatformPage: {
            items: components["schemas"]["Platform"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "name": "wx64.r"
         *     }
         */
        PlatformRequest: {
            name: string;
        };
        /**
         * @description An error (RFC 9457).
         * @example {
         *       "type": "/problems/unprocessable",
         *       "title": "A rule is broken",
         *       "status": 422,
         *       "detail": "a password has at least 10 characters",
         *       "field": "password"
         *     }
         */
        Problem: {
            /**
             * Format: int64
             * @description With `quota-exceeded`: what uploads that are not finished will bring; it counts too.
             */
            awaited_bytes?: number;
            /** @description What was wrong and what would be right. */
            detail: string;
            /** @description The one input that is at fault. */
            field?: string;
            /** @description With a status of the 500s: under which the server's log has the cause. */
            id?: string;
            /**
             * Format: int64
             * @description With `too-large`: the most that is taken, in bytes.
             */
            limit?: number;
            /**
             * Format: int64
             * @description With `quota-exceeded`: what the owner's packages may hold.
             */
            quota_bytes?: number;
            /**
             * Format: int64
             * @description The status of the answer.
             */
            status: number;
            /**
             * Format: int64
             * @description With `quota-exceeded`: what they hold.
             */
            stored_bytes?: number;
            /** @description The kind in words. */
            title: string;
            /** @description The kind of problem, such as `/problems/not-found`. */
            type: string;
        } & {
            [key: string]: unknown;
        };
        PublishedFile: components["schemas"]["File"] & {
            package_id: string;
        };
        /**
         * @example {
         *       "channel": "stable",
         *       "version": "1.0.0",
         *       "active": true,
         *       "published": "2026-11-21T10:00:00Z",
         *       "publish_at": null,
         *       "yanked": null,
         *       "description": "First.",
         *       "description_html": "<p>First.</p>\n",
         *       "downloads": 3,
         *       "files": [
         *         {
         *           "platform": "linux-x64",
         *           "display_name": "window.zip",
         *           "role": "archive",
         *           "filename": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
         *           "size": 3,
         *           "mime_type": "application/zip",
         *           "extension": "zip",
         *           "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
         *           "crc32": "8c736521",
         *           "external_url": null,
         *           "requirements": [],
         *           "downloads": 3,
         *           "url": "https://packages.example.org/api/v1/packages/omni/kit.window/releases/stable/1.0.0/files/linux-x64/window.zip",
         *           "created": "2026-11-21T10:00:00Z",
         *           "changed": "2026-11-21T10:00:00Z"
         *         }
         *       ],
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        Release: {
            /** @description Whether it is offered; a draft is not. */
            active: boolean;
            /** Format: date-time */
            changed: string;
            channel: string;
            /** Format: date-time */
            created: string;
            /** @description Release notes in Markdown. */
            description: string;
            /** @description The same as safe HTML. */
            description_html: string;
            /**
             * Format: int64
             * @description How often its files were downloaded.
             */
            downloads: number;
            files: components["schemas"]["File"][];
            /**
             * Format: date-time
             * @description When it becomes active by itself.
             */
            publish_at: string | null;
            /**
             * Format: date-time
             * @description When it was active for the first time; from then on its files never change.
             */
            published: string | null;
            version: string;
            warnings?: components["schemas"]["Warnings"];
            /** @description Why it was withdrawn: no longer offered, still downloadable. */
            yanked: string | null;
        };
        /** @description A page of a list. */
        ReleasePage: {
            items: components["schemas"]["Release"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "active": true,
         *       "description": "First."
         *     }
         */
        ReleasePatch: {
            active?: boolean;
            description?: string;
            /**
             * Format: date-time
             * @description Only for drafts; null takes it back.
             */
            publish_at?: string | null;
            /**
             * Format: date-time
             * @description Only from owners and only with active set to true for a draft that was published elsewhere before: when that was.
             */
            published?: string;
            /** @description Only for active releases; null restores. */
            yanked?: string | null;
        };
        ReleaseRequirements: {
            /** Format: date-time */
            released: string | null;
            requirements: components["schemas"]["Requirement"][];
            version: string;
        };
        /** @description A page of a list. */
        ReleaseRequirementsPage: {
            items: components["schemas"]["ReleaseRequirements"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "type": "os",
         *       "name": "linux",
         *       "version": ""
         *     }
         */
        Requirement: {
            name: string;
            type: string;
            /** @description May be empty. */
            version: string;
        };
        /**
         * @example {
         *       "type": "os",
         *       "name": "linux"
         *     }
         */
        RequirementRequest: {
            name: string;
            type: string;
            version?: string;
        };
        /**
         * @description What of a channel's releases stays: once a day, at 03:00 UTC, active releases go that no condition that is set keeps. At least one is set. Drafts stay, and so do the highest active release of a package and, of each platform, the highest that is offered and has a file for it. A yanked release takes none of the places of the newest, and stays as long as another in its place would.
         * @example {
         *       "keep_newest": 10,
         *       "keep_days": 90,
         *       "keep_downloaded_days": null
         *     }
         */
        Retention: {
            /** @description Releases stay for so many days after they were published. */
            keep_days: number | null;
            /** @description Releases stay for so many days after a file of theirs was last downloaded, or they were published. */
            keep_downloaded_days: number | null;
            /** @description So many releases of each package stay, those of the highest versions. */
            keep_newest: number | null;
        };
        /** @description What a rule would remove when it acts next, if nothing changes until then. */
        RetentionPreview: {
            /**
             * Format: date-time
             * @description When it acts next: a new or changed rule at the earliest an hour after it was saved.
             */
            acts_at: string | null;
            /**
             * Format: date
             * @description With `keep_downloaded_days`: until this day the server does not know of enough days, and keeps everything.
             */
            downloads_count_from: string | null;
            items: components["schemas"]["DoomedRelease"][];
            /** @description The cursor of the next page, if there is one. A page may hold fewer releases than there is room for, and still have a next one. */
            next: string | null;
            /** @description The rule that is previewed; null where the channel has none, and nothing goes. */
            retention: components["schemas"]["Retention"] | null;
            /** @description Of all that would go. On the first page only. */
            totals: components["schemas"]["RetentionTotals"] | null;
        };
        /**
         * @example {
         *       "releases": 12,
         *       "packages": 3,
         *       "size": 1288490188,
         *       "stay": 40,
         *       "complete": true
         *     }
         */
        RetentionTotals: {
            /** @description Whether everything was looked at: of very many releases, only the first 100000 are. */
            complete: boolean;
            /**
             * Format: int64
             * @description That would lose releases.
             */
            packages: number;
            /** Format: int64 */
            releases: number;
            /**
             * Format: int64
             * @description Bytes of their files that are kept here. Content that other releases have too is not freed.
             */
            size: number;
            /**
             * Format: int64
             * @description Active releases that stay.
             */
            stay: number;
        };
        /**
         * @description Each contains those before it: `reader` reads a private package, `maintainer` makes releases, `owner` everything.
         * @enum {string}
         */
        Role: "reader" | "maintainer" | "owner";
        /**
         * @description Each contains those before it: `read`, `publish` (packages, releases, files), `admin` (everything the user may do).
         * @enum {string}
         */
        Scope: "read" | "publish" | "admin";
        /** @description What content was read again and held against its digest, since the start. All of it is, once a week. */
        Scrub: {
            /**
             * Format: date-time
             * @description When the round began that is under way.
             */
            begun: string | null;
            /** Format: int64 */
            blobs: number;
            /** Format: int64 */
            bytes: number;
            /** @description SHA-256 of contents that are not what was stored, up to 100. */
            damaged: string[];
            /**
             * Format: date-time
             * @description When all content had been read the last time.
             */
            finished: string | null;
            /**
             * Format: date-time
             * @description When the next round begins; null while one is under way.
             */
            next: string | null;
            /** @description Why the last round ended before it had read all, if it did. */
            problem: string | null;
            /**
             * Format: int64
             * @description Bytes that the round read that is under way, or the last one.
             */
            round_bytes: number;
        };
        /**
         * @example {
         *       "ready": true,
         *       "serial": 1,
         *       "packages": 2,
         *       "releases": 3,
         *       "users": 4,
         *       "uploads": {
         *         "unfinished": 1,
         *         "kept_bytes": 1048576
         *       },
         *       "backup": {
         *         "finished": "2026-11-21T03:00:07Z",
         *         "serial": 1,
         *         "failed": null,
         *         "problem": null,
         *         "scheduled": {
         *           "newest": "2026-11-21T03:00:04Z",
         *           "next": "2026-11-22T03:00:04Z"
         *         }
         *       },
         *       "scrub": {
         *         "blobs": 7,
         *         "bytes": 1048576,
         *         "begun": null,
         *         "round_bytes": 1048576,
         *         "finished": "2026-11-21T03:00:07Z",
         *         "next": "2026-11-28T03:00:01Z",
         *         "problem": null,
         *         "damaged": []
         *       },
         *       "connections": 5,
         *       "tls": false
         *     }
         */
        ServerStatus: {
            backup: components["schemas"]["Backups"];
            /**
             * Format: int64
             * @description Connections that are open.
             */
            connections: number;
            /** Format: int64 */
            packages: number;
            ready: boolean;
            /** Format: int64 */
            releases: number;
            scrub: components["schemas"]["Scrub"];
            /**
             * Format: int64
             * @description The serial of the index.
             */
            serial: number;
            /** @description Whether it speaks HTTPS itself. */
            tls: boolean;
            /** @description Resumable uploads that were begun and are not finished. */
            uploads: {
                /**
                 * Format: int64
                 * @description What came of them and is kept until they go on or expire.
                 */
                kept_bytes: number;
                /** Format: int64 */
                unfinished: number;
            };
            /** Format: int64 */
            users: number;
        };
        /**
         * @example {
         *       "user": {
         *         "name": "omni",
         *         "admin": true
         *       }
         *     }
         */
        Session: {
            user: {
                admin: boolean;
                name: string;
            };
        };
        Settings: {
            items: {
                /** @description The name of its flag. */
                name: string;
                /** @enum {string} */
                source: "default" | "flag" | "environment" | "file";
                value: string | null;
            }[];
            /** Format: date-time */
            started: string;
            version: string;
        };
        /**
         * @example {
         *       "token": "3f0c…",
         *       "name": "omni",
         *       "password": "correct horse battery"
         *     }
         */
        SetupRequest: {
            /** @description `[a-z0-9][a-z0-9-]{0,38}`; it becomes a namespace. */
            name: string;
            /**
             * Format: password
             * @description At least 10 characters.
             */
            password: string;
            /** @description What the server printed at its first start. */
            token: string;
        };
        /**
         * @example {
         *       "name": "omni",
         *       "password": "correct horse battery"
         *     }
         */
        SignInRequest: {
            /** @description `[a-z0-9][a-z0-9-]{0,38}`; it becomes a namespace. */
            name: string;
            /**
             * Format: password
             * @description At least 10 characters.
             */
            password: string;
        };
        Statistics: {
            checks: components["schemas"]["Count"][];
            downloads: components["schemas"]["Count"][];
            from: string;
            to: string;
        };
        Storage: {
            /** Format: int64 */
            blob_bytes: number;
            /**
             * Format: int64
             * @description Contents that files refer to, each counted once.
             */
            blobs: number;
            /** Format: int64 */
            disk_free_bytes: number;
            /** Format: int64 */
            disk_total_bytes: number;
            /**
             * Format: int64
             * @description What the file with everything but content takes.
             */
            entities_bytes: number;
            users: {
                name: string;
                /**
                 * Format: int64
                 * @description null: what the server grants everyone.
                 */
                quota_bytes: number | null;
                /**
                 * Format: int64
                 * @description What the files of the user's packages have, each counted.
                 */
                stored_bytes: number;
            }[];
            volumes: components["schemas"]["Volume"][];
        };
        UnpublishedRelease: components["schemas"]["Release"] & {
            package_id: string;
        };
        Update: {
            crc32: string | null;
            /** @description Where it can be downloaded. */
            filename: string;
            /** Format: date-time */
            released: string | null;
            releaseNotes: string;
            requirements: components["schemas"]["Requirement"][];
            sha256: string | null;
            /** Format: int64 */
            size: number | null;
            version: string;
        };
        /**
         * @description The fields of an update where there is one; with `mode=2` all of them in `data`.
         * @example {
         *       "success": true,
         *       "isNewer": false
         *     }
         */
        UpdateAnswer: {
            crc32?: string | null;
            data?: components["schemas"]["Update"][];
            /** @description Where it can be downloaded. */
            filename?: string;
            isNewer: boolean;
            /** Format: date-time */
            released?: string | null;
            releaseNotes?: string;
            requirements?: components["schemas"]["Requirement"][];
            sha256?: string | null;
            /** Format: int64 */
            size?: number | null;
            success: boolean;
            version?: string;
        };
        /**
         * @description An unfinished upload.
         * @example {
         *       "id": 7,
         *       "url": "https://packages.example.org/api/v1/uploads/7",
         *       "package": "omni.kit",
         *       "channel": "stable",
         *       "version": "1.0.0",
         *       "platform": "any",
         *       "filename": "kit.zip",
         *       "size": 1000,
         *       "offset": 400,
         *       "sha256": null,
         *       "created": "2026-11-21T08:30:00Z",
         *       "expires": "2026-11-22T08:30:00Z"
         *     }
         */
        Upload: {
            channel: string;
            /** Format: date-time */
            created: string;
            /**
             * Format: date-time
             * @description When it is forgotten, unless more comes.
             */
            expires: string;
            filename: string;
            /** Format: int64 */
            id: number;
            /**
             * Format: int64
             * @description How many bytes have come.
             */
            offset: number;
            /** @description Its full name. */
            package: string;
            platform: string;
            /** @description What the whole must have, where that was said. */
            sha256: string | null;
            /** Format: int64 */
            size: number;
            /** @description Where to go on with it. */
            url: string;
            version: string;
        };
        UploadPage: {
            items: components["schemas"]["Upload"][];
            next: string | null;
        };
        /**
         * @example {
         *       "name": "omni",
         *       "admin": false,
         *       "disabled": false,
         *       "invited": false,
         *       "quota_bytes": null,
         *       "stored_bytes": 1048576,
         *       "created": "2026-11-21T10:00:00Z",
         *       "changed": "2026-11-21T10:00:00Z"
         *     }
         */
        User: {
            /** @description Whether the user administers the server. */
            admin: boolean;
            /** Format: date-time */
            changed: string;
            /** Format: date-time */
            created: string;
            /** @description Whether the user is shut out: it cannot sign in and its tokens open nothing. */
            disabled: boolean;
            /** @description Whether it is still to choose a password. */
            invited: boolean;
            name: string;
            /**
             * Format: int64
             * @description What the files of its packages may have together; null where it is what the server grants everyone.
             */
            quota_bytes: number | null;
            /**
             * Format: int64
             * @description What they have.
             */
            stored_bytes: number;
        };
        /** @description A page of a list. */
        UserPage: {
            items: components["schemas"]["User"][];
            /** @description The cursor of the next page, if there is one. */
            next: string | null;
        };
        /**
         * @example {
         *       "disabled": true
         *     }
         */
        UserPatch: {
            admin?: boolean;
            /** @description Signed-in browsers are out at once, and tokens stop to work. */
            disabled?: boolean;
            /**
             * Format: password
             * @description The present password, needed to change one's own.
             */
            old_password?: string;
            /**
             * Format: password
             * @description A new password; everyone else who is signed in with the old one is signed out.
             */
            password?: string;
            /**
             * Format: int64
             * @description null: what the server grants everyone.
             */
            quota_bytes?: number | null;
        };
        /**
         * @description How versions are read and ordered. `semver`, the default: SemVer 2.0.0, and the same reading for all other versions. `calver`: a number behind `-` is one more number of the release. `debian`: a revision stands behind the last `-`, `~` sorts before the end.
         * @enum {string}
         */
        VersionScheme: "semver" | "calver" | "debian";
        /**
         * @example {
         *       "lines": "d8501f51",
         *       "package": {
         *         "description": "",
         *         "visibility": "public",
         *         "version_scheme": "semver"
         *       },
         *       "releases": []
         *     }
         */
        ViewReleases: {
            /** @description CRC-32 of the lines that this belongs to, as in `registry.gz`. */
            lines: string;
            package: {
                description: string;
                version_scheme: components["schemas"]["VersionScheme"];
                visibility: components["schemas"]["Visibility"];
            };
            releases: components["schemas"]["ListedRelease"][];
        };
        /** @enum {string} */
        Visibility: "public" | "private";
        /**
         * @example {
         *       "number": 1,
         *       "sealed": false,
         *       "size_bytes": 1048576,
         *       "live_bytes": 700000
         *     }
         */
        Volume: {
            /**
             * Format: int64
             * @description What files refer to.
             */
            live_bytes: number;
            /** Format: int64 */
            number: number;
            /** @description Whether it is no longer written. */
            sealed: boolean;
            /**
             * Format: int64
             * @description What it takes on the disk.
             */
            size_bytes: number;
        };
        /** @description A release that nobody sees yet. */
        WaitingRelease: {
            /** Format: date-time */
            changed: string;
            channel: string;
            /**
             * Format: int64
             * @description How many it has.
             */
            files: number;
            package: string;
            /** Format: date-time */
            publish_at?: string;
            version: string;
        };
        /** @description Only in the answer that creates or activates a release, and only where there are any: sentences about where its version sorts that its author should read, such as that it sorts below the newest release. The release is published all the same. */
        Warnings: string[];
    };
    responses: {
        /** @description The client has it already. */
        NotModified: {
            headers: {
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description It was refused, for the reason told. */
        Problem: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description A channel of the owner's. */
        channel: string;
        /** @description Makes a missing release (a draft, or active), never a channel. */
        create: "inactive" | "active";
        /** @description Makes a missing platform. Without it, an unknown platform is a 404 with the nearest name. */
        create_platform: boolean;
        /** @description What `next` of the page before said. */
        cursor: string;
        /** @description The file's original name. */
        display_name: string;
        /** @description The ETag of the state that is meant; 412 where it is another by now. */
        "If-Match": string;
        /** @description Adds a file to a release that has been active for longer than `--release-open` (24 hours). For owners. */
        late: boolean;
        /** @description Most items on the page. */
        limit: number;
        /** @description The package's name in its namespace. */
        name: string;
        /** @description The owner's name. */
        namespace: string;
        /** @description A platform of the owner's. */
        platform: string;
        /** @description Whether the file is the archive of its platform or an attachment. Without it, the name decides: `app.zip.sig` and `SHA256SUMS` are attachments, and of the rest the first is the archive. */
        role: "archive" | "attachment";
        /** @description A user's name. */
        user: string;
        version: string;
    };
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    admin_audit: {
        parameters: {
            query?: {
                /** @description What `next` of the page before said. */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items on the page. */
                limit?: components["parameters"]["limit"];
                /** @description Only what was done to packages of this full name. */
                package?: string;
                /** @description Only what this user did, or what was done to it. */
                user?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    admin_backup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    admin_backup_further: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KnownVolumes"];
            };
        };
        responses: {
            /** @description What is new. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/x-tar": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    admin_settings: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Settings"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    admin_status: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description So. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ServerStatus"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    admin_storage: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counted. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Storage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    attention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What waits, in packages that the caller may publish to. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Attention"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    auth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The packages, and the role in each. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OpenedPackagePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    channels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChannelPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_channel: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewChannel"];
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Channel"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    change_channel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChannelPatch"];
            };
        };
        responses: {
            /** @description The channel now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Channel"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    preview_retention: {
        parameters: {
            query?: {
                /** @description What `next` of the page before said. */
                cursor?: components["parameters"]["cursor"];
                /** @description The same. */
                keep_days?: number;
                /** @description The same. */
                keep_downloaded_days?: number;
                /** @description Preview a rule with this condition. Where none of the three is given, it is the channel's rule. */
                keep_newest?: number;
                /** @description Most items on the page. */
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The releases that would go, by package, highest version first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RetentionPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    events: {
        parameters: {
            query?: {
                /** @description The same where no header can be sent. */
                since?: string;
            };
            header?: {
                /** @description Where the client was; it goes on from there. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The events, without end. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    accept_invitation: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InvitationRequest"];
            };
        };
        responses: {
            /** @description Signed in. */
            200: {
                headers: {
                    /** @description The session. */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    preview_markdown: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MarkdownRequest"];
            };
        };
        responses: {
            /** @description Safe HTML. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MarkdownPreview"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OpenAPI 3.1. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        [key: string]: unknown;
                    };
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    packages: {
        parameters: {
            query?: {
                /** @description What `next` of the page before said. */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items on the page. */
                limit?: components["parameters"]["limit"];
                /** @description Only packages of this user. */
                owner?: string;
                /** @description `member`: only packages that the caller owns or is a member of. `none`: only the others. */
                role?: "member" | "none";
                /** @description Words that a name, title, keywords or summary must have; the best match comes first. */
                search?: string;
                /** @description `changed`: the newest change first. `downloads`: the most downloaded first. Without effect beside `search`. */
                sort?: "changed" | "name" | "downloads";
                /** @description `brief`: without `description` and `description_html`, which may have 256 KiB each. */
                view?: "full" | "brief";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackagePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_package: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPackage"];
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Package"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    package: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The package. */
            200: {
                headers: {
                    /** @description Stands for what can be changed of it; for If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Package"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_package: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that is meant; 412 where it is another by now. */
                "If-Match"?: components["parameters"]["If-Match"];
            };
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    change_package: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that is meant; 412 where it is another by now. */
                "If-Match"?: components["parameters"]["If-Match"];
            };
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PackagePatch"];
            };
        };
        responses: {
            /** @description The package now. */
            200: {
                headers: {
                    /** @description Stands for what can be changed of it; for If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Package"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    package_audit: {
        parameters: {
            query?: {
                /** @description What `next` of the page before said. */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items on the page. */
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    members: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    put_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MemberRequest"];
            };
        };
        responses: {
            /** @description The role is another. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description The user is let in. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_member: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Taken out. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    offers: {
        parameters: {
            query?: {
                /** @description The channel; the owner's default where none is named. */
                channel?: string;
            };
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An offer for each platform that the package has files for and that is offered any, and last one for all others, if there is one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OfferPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    releases: {
        parameters: {
            query?: {
                /** @description Only releases on this channel. */
                channel?: string;
                /** @description What `next` of the page before said. */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items on the page. */
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleasePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    release: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The release. */
            200: {
                headers: {
                    /** @description Stands for what can be changed of it; for If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Release"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    put_release: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that is meant; 412 where it is another by now. */
                "If-Match"?: components["parameters"]["If-Match"];
                /** @description Only if it is not there yet. */
                "If-None-Match"?: "*";
            };
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReleasePatch"];
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    /** @description Stands for what can be changed of it; for If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Release"];
                };
            };
            /** @description Made. */
            201: {
                headers: {
                    /** @description Stands for what can be changed of it; for If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Release"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_release: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that is meant; 412 where it is another by now. */
                "If-Match"?: components["parameters"]["If-Match"];
            };
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    change_release: {
        parameters: {
            query?: never;
            header?: {
                /** @description The ETag of the state that is meant; 412 where it is another by now. */
                "If-Match"?: components["parameters"]["If-Match"];
            };
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["ReleasePatch"];
            };
        };
        responses: {
            /** @description The release now. */
            200: {
                headers: {
                    /** @description Stands for what can be changed of it; for If-Match. */
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Release"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description Its content is elsewhere. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    put_file: {
        parameters: {
            query?: {
                /** @description Makes a missing release (a draft, or active), never a channel. */
                create?: components["parameters"]["create"];
                /** @description Makes a missing platform. Without it, an unknown platform is a 404 with the nearest name. */
                create_platform?: components["parameters"]["create_platform"];
                /** @description Adds a file to a release that has been active for longer than `--release-open` (24 hours). For owners. */
                late?: components["parameters"]["late"];
                /** @description Whether the file is the archive of its platform or an attachment. Without it, the name decides: `app.zip.sig` and `SHA256SUMS` are attachments, and of the rest the first is the archive. */
                role?: components["parameters"]["role"];
            };
            header?: {
                /** @description `sha-256=:…:` is verified; 422 where the bytes have another. */
                "Repr-Digest"?: string;
            };
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "*/*": unknown;
            };
        };
        responses: {
            /** @description It was there, the same or (in a draft) another. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            /** @description It is new. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    change_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["FilePatch"];
            };
        };
        responses: {
            /** @description The file now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    put_external: {
        parameters: {
            query?: {
                /** @description Makes a missing release (a draft, or active), never a channel. */
                create?: components["parameters"]["create"];
                /** @description Whether the file is the archive of its platform or an attachment. Without it, the name decides: `app.zip.sig` and `SHA256SUMS` are attachments, and of the rest the first is the archive. */
                role?: components["parameters"]["role"];
            };
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ExternalFile"];
            };
        };
        responses: {
            /** @description It was there. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            /** @description It is new. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    manifest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The manifest. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Manifest"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    put_manifest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Manifest"];
            };
        };
        responses: {
            /** @description The file now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    put_requirements: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                version: components["parameters"]["version"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RequirementRequest"][];
            };
        };
        responses: {
            /** @description The file now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["File"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    statistics: {
        parameters: {
            query?: {
                /** @description How many days, today among them. */
                days?: number;
            };
            header?: never;
            path: {
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Statistics"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    replace_package_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                kind: "access" | "private";
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The new token; a private one is shown this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PackageToken"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    platforms: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PlatformPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_platform: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlatformRequest"];
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Platform"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_platform: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    rename_platform: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PlatformRequest"];
            };
        };
        responses: {
            /** @description The platform now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Platform"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    requirements: {
        parameters: {
            query: {
                /** @description The owner's default where it is not said. */
                channel?: string;
                /** @description The package's full name. */
                id: string;
                platform?: string;
                /** @description The access token of a private package. */
                token?: string;
                /** @description What runs now. */
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseRequirementsPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    search: {
        parameters: {
            query?: {
                channel?: string;
                /** @description Most items on the page. */
                limit?: components["parameters"]["limit"];
                platform?: string;
                search?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Those that match. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["FoundPackagePage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    session: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    sign_in: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignInRequest"];
            };
        };
        responses: {
            /** @description Signed in. */
            200: {
                headers: {
                    /** @description The session. */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    sign_out: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    setup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SetupRequest"];
            };
        };
        responses: {
            /** @description Done. */
            201: {
                headers: {
                    /** @description The session. */
                    "Set-Cookie"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    tokens: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiTokenPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_token: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ApiTokenRequest"];
            };
        };
        responses: {
            /** @description Made; its secret is shown this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewApiToken"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_token: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    updates: {
        parameters: {
            query: {
                /** @description The owner's default where it is not said. */
                channel?: string;
                /** @description The package's full name. */
                id: string;
                /** @description `2` lists all newer releases in `data`. */
                mode?: "1" | "2";
                platform?: string;
                /** @description The access token of a private package. */
                token?: string;
                /** @description What runs now. */
                version?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Whether there is one. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UpdateAnswer"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    uploads: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UploadPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_upload: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus; 412 where it is another. */
                "Tus-Resumable": "1.0.0";
                /** @description `sha256`, `sha1` or `crc32`, a space, and the sum of these bytes in Base64; 460 where they have another. */
                "Upload-Checksum"?: string;
                /** @description How many bytes there will be. */
                "Upload-Length": number;
                /** @description `package`, `channel`, `version`, `platform` and `filename`, and if you like `filetype`, `create` (`inactive` or `active`), `role` (`archive` or `attachment`) and `sha256`, each with its value in Base64. */
                "Upload-Metadata": string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/offset+octet-stream": unknown;
            };
        };
        responses: {
            /** @description Begun; `Location` is its address. `Content-Location` is that of the file where that was all. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    upload_options: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In the headers `Tus-Version`, `Tus-Extension`, `Tus-Checksum-Algorithm` and `Tus-Max-Size`. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    upload: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The upload's number, from its address. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The upload. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Upload"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_upload: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus; 412 where it is another. */
                "Tus-Resumable": "1.0.0";
            };
            path: {
                /** @description The upload's number, from its address. */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Nothing of it is left. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    continue_upload: {
        parameters: {
            query?: never;
            header: {
                /** @description The version of tus; 412 where it is another. */
                "Tus-Resumable": "1.0.0";
                /** @description `sha256`, `sha1` or `crc32`, a space, and the sum of these bytes in Base64; 460 where they have another. */
                "Upload-Checksum"?: string;
                /** @description Where these bytes begin. */
                "Upload-Offset": number;
            };
            path: {
                /** @description The upload's number, from its address. */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/offset+octet-stream": unknown;
            };
        };
        responses: {
            /** @description Kept; `Upload-Offset` is where to go on. With the last bytes, `Content-Location` is the address of the file, and `Packhouse-Outcome` is `created`, `replaced` or `unchanged`. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    users: {
        parameters: {
            query?: {
                /** @description What `next` of the page before said. */
                cursor?: components["parameters"]["cursor"];
                /** @description Most items on the page. */
                limit?: components["parameters"]["limit"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPage"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    create_user: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewUserRequest"];
            };
        };
        responses: {
            /** @description Made; without a password, with an invitation that is shown this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewUser"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    delete_user: {
        parameters: {
            query?: {
                /** @description `delete` deletes the user's packages too, with all their releases and files; without it, 409 names them. */
                packages?: "delete";
            };
            header?: never;
            path: {
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    change_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserPatch"];
            };
        };
        responses: {
            /** @description The user now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    invite_user: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A user's name. */
                user: components["parameters"]["user"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The link's secret, shown this once. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Invitation"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    download: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                /** @description A version, or `latest`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where it is. */
            302: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    download_file: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description A channel of the owner's. */
                channel: components["parameters"]["channel"];
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                /** @description The package's name in its namespace. */
                name: components["parameters"]["name"];
                /** @description The owner's name. */
                namespace: components["parameters"]["namespace"];
                /** @description A platform of the owner's. */
                platform: components["parameters"]["platform"];
                /** @description A version, or `latest`. */
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Where it is. */
            302: {
                headers: {
                    Location?: string;
                    [name: string]: unknown;
                };
                content?: never;
            };
            default: components["responses"]["Problem"];
        };
    };
    healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        alive: boolean;
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    kit_package: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    kit_registry: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    kit_summaries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Text. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    readyz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        /** Format: int64 */
                        packages: number;
                        ready: boolean;
                        /** Format: int64 */
                        serial: number;
                    };
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    registry_publish: {
        parameters: {
            query?: {
                channel?: string;
                visibility?: components["schemas"]["Visibility"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    /** @description The manifest, JSON, with `package.archivePath`; `package.size` and `package.sha256` may be left out together, and sent later. */
                    metadata: string;
                    /** @description `FULLNAME-VERSION[+PLATFORM]` */
                    package_id: string;
                };
                "multipart/form-data": {
                    /** @description The bytes. */
                    archive?: string;
                    /** @description The manifest, JSON. */
                    metadata?: string;
                    /** @description `FULLNAME-VERSION[+PLATFORM]` */
                    package_id: string;
                };
            };
        };
        responses: {
            /** @description It was there. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublishedFile"];
                };
            };
            /** @description It is new. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublishedFile"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    registry_unpublish: {
        parameters: {
            query?: {
                channel?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-www-form-urlencoded": {
                    package_id: string;
                    reason?: string;
                };
                "multipart/form-data": {
                    package_id: string;
                    reason?: string;
                };
            };
        };
        responses: {
            /** @description The release now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UnpublishedRelease"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    archive_manifest: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
                /** @description Full name, a dash, and the package id. */
                package_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The manifest. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Manifest"];
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    archive: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The file's original name. */
                display_name: components["parameters"]["display_name"];
                full_name: string;
                /** @description Full name, a dash, and the package id. */
                package_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The archive. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "*/*": unknown;
                };
            };
            /** @description It is elsewhere. */
            302: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    index_changes: {
        parameters: {
            query: {
                /** @description Whether the answer has the texts of packages that changed, of the same state as the rest. */
                packages?: boolean;
                /** @description CRC-32 of the decompressed `registry.gz` that has this serial. */
                registry?: string;
                since: number;
                /** @description Seconds to wait for a change. */
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What changed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IndexChanges"];
                };
            };
            default: components["responses"]["Problem"];
        };
    };
    index_package: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    index_registry: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    index_releases: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                full_name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The releases, archive by archive, in the order of the lines. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ViewReleases"];
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
    index_summaries: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            /** @description Parts of it. */
            206: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": unknown;
                };
            };
            304: components["responses"]["NotModified"];
            default: components["responses"]["Problem"];
        };
    };
}
