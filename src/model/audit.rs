//! The audit trail: who did what to what, when, and from where. It never holds a secret.

use super::id::PackageKey;
use super::limits::AUDIT_TEXT_BYTES_MAX;
use super::name::FullName;
use super::time::Timestamp;

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number: later ones have higher numbers.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub actor: Actor,
    /// From which address, where there was one.
    pub address: Option<AuditText>,
    /// What.
    pub action: AuditAction,
    /// To which package, or to something of which package.
    pub package: Option<(PackageKey, FullName)>,
    /// To what: a user, a release, a file.
    pub subject: Option<AuditText>,
    /// What there is to say beside.
    pub detail: Option<AuditText>,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// By what right.
    pub kind: ActorKind,
    /// The user, where it was one.
    pub name: Option<AuditText>,
    /// What its owner calls the API token that was shown.
    pub token_name: Option<AuditText>,
}

/// By what right something was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A user who signed in.
    User,
    /// A program with a user's token.
    ApiToken,
    /// A program with a package's token.
    PrivateToken,
    /// Who set the server up.
    Setup,
    /// The server itself, or its operator on the command line.
    Server,
}

impl ActorKind {
    const ALL: [Self; 5] = [Self::User, Self::ApiToken, Self::PrivateToken, Self::Setup, Self::Server];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiToken => "api_token",
            Self::PrivateToken => "private_token",
            Self::Setup => "setup",
            Self::Server => "server",
        }
    }
}

/// Why a text is no name of a kind of actor, or of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit trail knows no such word")]
pub struct UnknownAuditWord;

impl std::str::FromStr for ActorKind {
    type Err = UnknownAuditWord;

    fn from_str(text: &str) -> Result<Self, UnknownAuditWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownAuditWord)
    }
}

/// Makes the enum with the names that are stored and shown, which therefore never change.
macro_rules! actions {
    ($($(#[$meta:meta])* $variant:ident = $name:literal,)*) => {
        /// What was done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum AuditAction {
            $($(#[$meta])* $variant,)*
        }

        impl AuditAction {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

actions! {
    /// The first account was made.
    SetUp = "set_up",
    /// Somebody signed in.
    SignedIn = "signed_in",
    /// After too many failures, sign-ins have to wait.
    SignInBlocked = "sign_in_blocked",
    /// A user was made.
    UserCreated = "user_created",
    /// A user was made, to choose a password by a link.
    UserInvited = "user_invited",
    /// Who was invited chose a password.
    InvitationAccepted = "invitation_accepted",
    /// A password is another.
    PasswordChanged = "password_changed",
    /// A user may do more or less, or is shut out or let in again.
    UserChanged = "user_changed",
    /// A user is gone.
    UserDeleted = "user_deleted",
    /// An API token was made.
    TokenCreated = "token_created",
    /// An API token is gone.
    TokenDeleted = "token_deleted",
    /// A channel was made.
    ChannelCreated = "channel_created",
    /// A channel is another.
    ChannelChanged = "channel_changed",
    /// A channel is gone.
    ChannelDeleted = "channel_deleted",
    /// A platform was made.
    PlatformCreated = "platform_created",
    /// A platform has another name.
    PlatformRenamed = "platform_renamed",
    /// A platform is gone.
    PlatformDeleted = "platform_deleted",
    /// A package was made.
    PackageCreated = "package_created",
    /// Description or visibility of a package are others.
    PackageChanged = "package_changed",
    /// A package is gone.
    PackageDeleted = "package_deleted",
    /// A package has another access token.
    AccessTokenReplaced = "access_token_replaced",
    /// A package has another private token.
    PrivateTokenReplaced = "private_token_replaced",
    /// A member was let in.
    MemberAdded = "member_added",
    /// A member has another role.
    MemberChanged = "member_changed",
    /// A member is out.
    MemberRemoved = "member_removed",
    /// A release was made.
    ReleaseCreated = "release_created",
    /// A release is active.
    ReleasePublished = "release_published",
    /// A release is to become active by itself, or no longer.
    ReleaseScheduled = "release_scheduled",
    /// A release is no longer active.
    ReleaseWithdrawn = "release_withdrawn",
    /// A release was yanked.
    ReleaseYanked = "release_yanked",
    /// A yanked release is offered again.
    ReleaseRestored = "release_restored",
    /// Notes of a release are others.
    ReleaseChanged = "release_changed",
    /// A release is gone.
    ReleaseDeleted = "release_deleted",
    /// A file is new.
    FileAdded = "file_added",
    /// A file of a draft has other bytes.
    FileReplaced = "file_replaced",
    /// The role of a file was chosen.
    FileRoleSet = "file_role_set",
    /// A file has another manifest.
    ManifestSet = "manifest_set",
    /// A file requires something else.
    RequirementsSet = "requirements_set",
    /// A file is gone.
    FileDeleted = "file_deleted",
    /// Everything was given out as a backup.
    BackupMade = "backup_made",
}

impl std::str::FromStr for AuditAction {
    type Err = UnknownAuditWord;

    fn from_str(text: &str) -> Result<Self, UnknownAuditWord> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text).ok_or(UnknownAuditWord)
    }
}

/// A short text in an entry: longer ones are cut, control characters become spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditText(Box<str>);

impl AuditText {
    /// The text, as far as it fits.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let end = (0..=text.len().min(AUDIT_TEXT_BYTES_MAX)).rev().find(|at| text.is_char_boundary(*at));
        let kept = &text[..end.unwrap_or_default()];
        Self(kept.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_their_names() {
        for action in AuditAction::ALL {
            assert_eq!(action.as_str().parse(), Ok(*action));
        }
        for kind in ActorKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("other".parse::<AuditAction>(), Err(UnknownAuditWord));
    }

    #[test]
    fn texts_are_short_and_on_one_line() {
        assert_eq!(AuditText::new("a\nb").as_str(), "a b");
        let long = "é".repeat(AUDIT_TEXT_BYTES_MAX);
        let kept = AuditText::new(&format!("a{long}"));
        assert_eq!(kept.as_str().len(), AUDIT_TEXT_BYTES_MAX - 1);
    }
}
