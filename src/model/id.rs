//! Numbers by which entities refer to each other. They are generated once, never reused and mean nothing else.

/// Declares the id of one kind of entity.
macro_rules! entity_id {
    ($($(#[$meta:meta])* $type:ident),+ $(,)?) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub u64);
    )+};
}

entity_id!(
    /// The id of a user.
    UserId,
    /// The id of a package. (A *package id* is the name of an archive: [`super::PackageId`].)
    PackageKey,
    /// The id of a channel.
    ChannelId,
    /// The id of a platform.
    PlatformId,
    /// The id of a release.
    ReleaseId,
    /// The id of a release file. Files of a release were added in the order of their ids.
    FileId,
    /// The id of an API token.
    ApiTokenId,
    /// The id of an unfinished upload.
    UploadId,
);
