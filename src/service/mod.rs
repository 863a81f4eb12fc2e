//! The use cases: may this caller do this, do it in the store, tell the index.
//!
//! Owns every rule about who may do what and what follows from it. Knows no HTTP: requests come as parsed values and
//! answers leave as views; refusals say why in words.

mod access;
mod accounts;
mod administration;
mod attention;
mod audit;
mod background;
mod backup;
mod caller;
mod changes;
mod channels;
mod clock;
mod condition;
mod deed;
mod downloads;
mod events;
mod extension_toml;
mod file_roles;
mod files;
mod indexing;
mod kit;
mod markdown;
mod members;
mod offers;
mod package_list;
mod packages;
mod password;
mod platforms;
mod random;
mod reader_history;
mod readers;
mod refusal;
mod registry_publish;
mod releases;
mod relisting;
mod resumable;
mod retention;
mod retention_preview;
mod retention_run;
mod scheduled_backups;
mod scrub;
mod sources;
mod start;
mod statistics;
mod throttle;
mod tokens;
mod updates;
mod uploads;
mod users;
mod view_releases;
mod views;
mod zip_entry;

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use tokio::sync::{Notify, watch};

pub use accounts::{NewSession, SESSION_S};
pub use administration::{Figures, Setting, Settings, StatusView, StorageView};
pub use attention::AttentionView;
pub use audit::{AuditQuery, AuditView};
pub use background::Background;
pub use backup::{LastBackup, RunningBackup};
pub use caller::{Caller, Credentials, Identity, SignedIn};
pub use changes::{IndexChanges, SeenChanges};
pub use channels::{ChannelPatch, NewChannel};
pub use clock::Clock;
pub use condition::Condition;
pub use downloads::{ArchiveManifest, Download, DownloadSource, WantedVersion};
pub use events::{Event, Listener, News};
pub use files::{Create, ExternalArchive, FileName, Outcome, PutOptions};
pub use kit::{KitAnswer, KitFile};
pub use package_list::{PackageQuery, PackageSort, Share};
pub use packages::{NewPackage, PackagePatch};
pub use reader_history::KnownState;
pub use readers::SeenView;
pub use refusal::Refusal;
pub use registry_publish::{Publication, PublishOptions, Published, Unpublished};
pub use releases::{ReleaseName, ReleasePatch};
pub use resumable::{
    Checksum, ChecksumKind, ContinueError, Metadata, NewUpload, Received, Receiving, UploadState, UploadView,
};
pub use retention_preview::{RetentionPreview, RetentionQuery};
pub use retention_run::RetentionRun;
pub use scheduled_backups::{ScheduledBackups, is_inside};
pub use scrub::ScrubView;
pub use start::{DataDirectory, StartProgress};
pub use statistics::{CountedFile, DAYS_MAX as STATISTICS_DAYS_MAX, StatisticsView};
pub use tokens::OpenedPackage;
pub use updates::{FoundPackage, ReleaseRequirements, Update, UpdateQuery};
pub use uploads::Upload;
pub use users::{InvitationView, NewUser, NewUserView, OwnPackages, UserPatch};
pub use view_releases::ViewReleases;
pub use views::{
    ApiTokenView, ChannelView, FileView, MemberView, PackageView, Page, PlatformView, ReleaseView, SessionView,
    UserView,
};

/// What handlers send of the index.
pub use crate::index::{Rendered, Serial, Snapshot as IndexSnapshot, View as IndexView, ViewName};
/// What handlers send of a blob.
pub use crate::store::BlobSource;

use crate::index::Index;
use crate::store::media::Media;
use crate::store::{Collected, OpenError, StorageError, Store, StoreOptions, Survey};
use password::PasswordHasher;
use reader_history::ReaderHistory;
use readers::{PrivatePackages, PrivateViews};
use throttle::Throttle;

/// What an operator may set about the use cases.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Largest file that is taken, in bytes.
    pub file_bytes_max: u64,
    /// How long an unfinished upload is kept after its last byte came.
    pub upload_expiry: Duration,
    /// How long after its first activation further files may be added to a release.
    pub release_open: Duration,
    /// How many days counts are kept by day.
    pub statistics_days: u32,
    /// What the files of one user's packages may have together, in bytes, where nothing else is said of the user.
    pub quota_bytes: Option<u64>,
    /// Most entries of the audit trail that are kept.
    pub audit_entries_max: u64,
    /// Backups that the server makes by itself.
    pub backups: Option<ScheduledBackups>,
    /// How the store is kept.
    pub store: StoreOptions,
    /// PBKDF2 iterations of new password hashes, where they are not the default; fewer are for tests alone.
    pub password_rounds: Option<NonZeroU32>,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            file_bytes_max: 16 << 30,
            upload_expiry: Duration::from_secs(24 * 60 * 60),
            release_open: Duration::from_secs(24 * 60 * 60),
            statistics_days: STATISTICS_DAYS_MAX,
            quota_bytes: None,
            audit_entries_max: 100_000,
            backups: None,
            store: StoreOptions::default(),
            password_rounds: None,
        }
    }
}

/// A registry: its store, its index, and the use cases on them.
pub struct Registry {
    store: Arc<Store>,
    index: Arc<Index>,
    /// The serial of the last step of the index, for those who wait for the next.
    moved: watch::Receiver<Serial>,
    private_packages: Arc<PrivatePackages>,
    private_views: PrivateViews,
    reader_history: ReaderHistory,
    ahead: Arc<relisting::Ahead>,
    kit_files: kit::KitFiles,
    clock: Clock,
    config: ArcSwap<RegistryConfig>,
    /// Wakes those who sleep by what the operator has set.
    reconfigured: Notify,
    hasher: PasswordHasher,
    throttle: Throttle,
    unfinished: Arc<resumable::Slots>,
    history: Arc<events::History>,
    counters: Arc<statistics::Counters>,
    backups: backup::Backups,
    scrub: scrub::Scrub,
    retention: retention::Work,
    /// Whether what would go on for ever is to end.
    stopping: watch::Sender<bool>,
    setup_token: Box<str>,
    /// Wakes the scheduler when a time was set.
    schedule_changed: Arc<Notify>,
    /// Wakes the collector when something was deleted.
    garbage_made: Notify,
}

/// What a registry is like at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Status {
    /// The serial of the last change to what everyone sees on their owners' default channels.
    pub serial: u64,
    /// How many public packages are on their owners' default channels.
    pub packages: u64,
    /// How many files hold blobs.
    pub volumes: u64,
}

/// Why a registry could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Something of the start was refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Registry {
    /// Opens the registry of a data directory, making it if it is missing, and builds its index. Blocks.
    ///
    /// # Errors
    /// If another process holds the directory, it is damaged, or a newer program wrote it.
    pub fn open(dir: &Path, config: RegistryConfig, clock: Clock) -> Result<Self, StartError> {
        DataDirectory::hold(dir)?.open(config, clock, &StartProgress::default())
    }

    /// Opens a registry on any medium.
    ///
    /// # Errors
    /// As for [`Registry::open`].
    pub fn open_media(media: Arc<dyn Media>, config: RegistryConfig, clock: Clock) -> Result<Self, StartError> {
        Self::open_media_telling(media, config, clock, &StartProgress::default())
    }

    fn open_media_telling(
        media: Arc<dyn Media>,
        config: RegistryConfig,
        clock: Clock,
        progress: &StartProgress,
    ) -> Result<Self, StartError> {
        let schedule_changed = Arc::new(Notify::new());
        let history = Arc::new(events::History::new(clock.now().as_micros().unsigned_abs()));
        let opened =
            indexing::open(media, config.store, &clock, Arc::clone(&schedule_changed), Arc::clone(&history), progress)?;
        Ok(Self {
            store: opened.store,
            index: opened.index,
            moved: opened.moved,
            private_packages: opened.private_packages,
            private_views: PrivateViews::default(),
            reader_history: ReaderHistory::default(),
            ahead: opened.ahead,
            kit_files: kit::KitFiles::default(),
            clock,
            hasher: PasswordHasher::new(config.password_rounds),
            config: ArcSwap::from_pointee(config),
            reconfigured: Notify::new(),
            throttle: Throttle::default(),
            unfinished: Arc::default(),
            history,
            counters: Arc::default(),
            backups: backup::Backups::default(),
            scrub: scrub::Scrub::default(),
            retention: retention::Work::default(),
            stopping: watch::Sender::new(false),
            setup_token: accounts::new_setup_token()?,
            schedule_changed,
            garbage_made: Notify::new(),
        })
    }

    /// What the registry is like at the moment, as far as everyone may know.
    #[must_use]
    pub fn status(&self) -> Status {
        // Not the index's own serial: that moves with private packages too.
        let snapshot = self.index.snapshot();
        let view = snapshot.view(&ViewName::Default);
        Status {
            serial: view.map_or(0, |view| view.serial().0),
            packages: view.map_or(0, |view| view.package_count() as u64),
            volumes: self.store.volume_count() as u64,
        }
    }

    /// Removes what nobody refers to and gives the space of mostly dead volumes back, as the background work does now
    /// and then. Blocks, perhaps for minutes.
    ///
    /// # Errors
    /// If a file fails; the rest is left to the next call.
    pub fn collect(&self) -> Result<Collected, Refusal> {
        Ok(self.store.collect()?)
    }

    /// Counts all content and where it is. Blocks, for about a second per million blobs.
    ///
    /// # Errors
    /// If a file cannot be read or contradicts itself.
    pub fn survey(&self) -> Result<Survey, Refusal> {
        Ok(self.store.survey()?)
    }

    /// The index as everyone sees it now.
    #[must_use]
    pub fn index(&self) -> Arc<IndexSnapshot> {
        self.index.snapshot()
    }

    /// Finishes accepted work and closes the store cleanly. Blocks.
    pub fn close(&self) {
        self.unfinished.close();
        if let Err(error) = self.write_statistics() {
            tracing::error!(%error, "the last counts could not be written");
        }
        self.store.close();
    }

    /// From now on, this counts; how the store is kept and passwords are hashed stays as it is.
    pub fn reconfigure(&self, config: RegistryConfig) {
        self.config.store(Arc::new(config));
        self.reconfigured.notify_one();
    }

    /// What the operator has set. Not to be held for long.
    fn config(&self) -> Guard<Arc<RegistryConfig>> {
        self.config.load()
    }

    /// Has the collector run soon.
    fn collect_soon(&self) {
        self.garbage_made.notify_one();
    }
}
