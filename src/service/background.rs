//! Work that nobody waits for: releases that become active by themselves, retention rules, returning space, keeping the
//! index tidy.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Registry, retention_run, scheduled_backups, scrub};

/// How long a failed piece of work waits for its next try.
const RETRY: Duration = Duration::from_secs(30);
/// How often the collector looks even if nobody called it: what slow readers held back is due some time.
const COLLECT_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long the collector waits for more to be deleted before it runs.
const COLLECT_DELAY: Duration = Duration::from_millis(500);
/// How often index files that stayed the same are compressed better.
const IMPROVE_EVERY: Duration = Duration::from_secs(5);
/// Pieces that are compressed better in one round, of about a millisecond each.
const IMPROVED_AT_ONCE_MAX: usize = 200;
/// How often what was counted is written: what a crash loses.
const WRITE_STATISTICS_EVERY: Duration = Duration::from_secs(10);
/// How often expired uploads are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);
/// How long uploads whose requests were cut may take to keep what has come, when the server stops.
const UPLOADS_END: Duration = Duration::from_secs(5);
/// The longest sleep of the scheduler, so that a clock that was set is noticed.
const SCHEDULE_LOOK: Duration = Duration::from_secs(60);

/// The background work of a registry, which ends when it is told to.
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    registry: Arc<Registry>,
}

impl Background {
    /// Starts all background work.
    #[must_use]
    pub fn start(registry: &Arc<Registry>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(until(stopped.clone(), schedule(Arc::clone(registry))));
        tasks.spawn(until(stopped.clone(), collect(Arc::clone(registry))));
        tasks.spawn(until(stopped.clone(), pack(Arc::clone(registry))));
        tasks.spawn(until(stopped.clone(), expire(Arc::clone(registry))));
        tasks.spawn(until(stopped.clone(), write_statistics(Arc::clone(registry))));
        tasks.spawn(until(stopped.clone(), retention_run::keep(Arc::clone(registry))));
        tasks.spawn(until(stopped.clone(), scheduled_backups::make(Arc::clone(registry))));
        tasks.spawn(until(stopped.clone(), scrub::scrub(Arc::clone(registry))));
        tasks.spawn(until(stopped, improve(Arc::clone(registry))));
        Self { stop, tasks, registry: Arc::clone(registry) }
    }

    /// Ends all background work and waits for what is under way.
    pub async fn stop(mut self) {
        // Fails only if all tasks have ended already.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        let _ = tokio::time::timeout(UPLOADS_END, self.registry.unfinished.all_ended()).await;
    }
}

async fn until(mut stopped: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
}

/// Activates releases when their time comes.
async fn schedule(registry: Arc<Registry>) {
    loop {
        let wait = match registry.activate_due_releases().await {
            Ok(None) => SCHEDULE_LOOK,
            Ok(Some(next)) => {
                let micros = next.as_micros() - registry.clock.now().as_micros();
                Duration::from_micros(u64::try_from(micros).unwrap_or(0)).min(SCHEDULE_LOOK)
            }
            Err(error) => {
                tracing::error!(%error, "scheduled releases could not be activated; trying again");
                RETRY
            }
        };
        // Whoever sets a time wakes us, or we look again by ourselves.
        let _ = tokio::time::timeout(wait, registry.schedule_changed.notified()).await;
    }
}

/// Returns the space of what was deleted, first of what an earlier run of the server left behind.
async fn collect(registry: Arc<Registry>) {
    loop {
        let store = Arc::clone(&registry.store);
        match tokio::task::spawn_blocking(move || store.collect()).await {
            Ok(Ok(collected)) => tracing::debug!(?collected, "collected"),
            Ok(Err(error)) => tracing::error!(%error, "space could not be returned; trying again later"),
            Err(error) => tracing::error!(%error, "the collector failed"),
        }
        let _ = tokio::time::timeout(COLLECT_EVERY, registry.garbage_made.notified()).await;
        tokio::time::sleep(COLLECT_DELAY).await;
    }
}

/// Moves small content out of the entity file.
async fn pack(registry: Arc<Registry>) {
    loop {
        registry.store.packing_due().await;
        let store = Arc::clone(&registry.store);
        match tokio::task::spawn_blocking(move || store.pack()).await {
            Ok(Ok(packed)) => tracing::trace!(?packed, "packed"),
            Ok(Err(error)) => tracing::error!(%error, "small content could not be packed; trying again later"),
            Err(error) => tracing::error!(%error, "packing failed"),
        }
    }
}

/// Removes what is left of uploads that nobody finished.
async fn expire(registry: Arc<Registry>) {
    loop {
        if let Err(error) = registry.expire_uploads().await {
            tracing::error!(%error, "expired uploads could not be removed; trying again");
        }
        tokio::time::sleep(EXPIRE_EVERY).await;
    }
}

/// Writes what was counted.
async fn write_statistics(registry: Arc<Registry>) {
    loop {
        tokio::time::sleep(WRITE_STATISTICS_EVERY).await;
        let for_work = Arc::clone(&registry);
        match tokio::task::spawn_blocking(move || for_work.write_statistics()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "counts could not be written; trying again"),
            Err(error) => tracing::error!(%error, "counts could not be written"),
        }
    }
}

/// Compresses quiet index files better.
async fn improve(registry: Arc<Registry>) {
    loop {
        tokio::time::sleep(IMPROVE_EVERY).await;
        let index = Arc::clone(&registry.index);
        if let Err(error) = tokio::task::spawn_blocking(move || index.improve(IMPROVED_AT_ONCE_MAX)).await {
            tracing::error!(%error, "index files could not be compressed");
        }
    }
}
