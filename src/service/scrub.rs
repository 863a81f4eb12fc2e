//! Reads all content again, slowly, so that a disk that forgets is noticed while there is a backup that remembers.
//!
//! Owns when that happens, how fast, and what is told of it. What is damaged is left as it is: `packhouse check` says
//! which releases that affects, and people decide.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::Registry;
use super::random::random_bytes;
use super::refusal::Refusal;
use crate::model::{Sha256, Timestamp};

/// How long after a start it begins: a start has enough to do.
const DELAY: Duration = Duration::from_secs(10 * 60);
/// From the beginning of one round to that of the next, or more where one takes longer.
const ROUND: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How soon it is tried again when files could not be read at all.
const RETRY: Duration = Duration::from_secs(15 * 60);
/// How fast content is read, in bytes a second: a terabyte takes 18 hours, and others do not feel it.
const BYTES_PER_S: f64 = (16 << 20) as f64;
/// Damaged contents that are told by name; the log names all.
const DAMAGED_MAX: usize = 100;

/// What was read again since the start, and what was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ScrubView {
    /// Contents that were read.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the round began that is under way.
    pub begun: Option<Timestamp>,
    /// Bytes that the round read that is under way, or the last one.
    pub round_bytes: u64,
    /// When all content had been read the last time.
    pub finished: Option<Timestamp>,
    /// When the next round begins; nothing while one is under way.
    pub next: Option<Timestamp>,
    /// Why the last round ended before it had read all, if it did.
    pub problem: Option<String>,
    /// The digests of contents that are not what was stored.
    pub damaged: BTreeSet<String>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Scrub {
    view: Mutex<ScrubView>,
}

impl Scrub {
    fn view(&self) -> MutexGuard<'_, ScrubView> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known so far.
    pub(super) fn told(&self) -> ScrubView {
        self.view().clone()
    }
}

/// Reads everything again and again, for ever.
pub(super) async fn scrub(registry: Arc<Registry>) {
    registry.rest_from_scrub(DELAY).await;
    loop {
        let begun = Instant::now();
        let rest = match registry.scrub_round(Some(BYTES_PER_S)).await {
            Ok(()) => ROUND.saturating_sub(begun.elapsed()),
            Err(error) => {
                tracing::error!(%error, "content could not be verified; trying again later");
                registry.scrub.view().problem = Some(error.to_string());
                RETRY
            }
        };
        registry.rest_from_scrub(rest).await;
    }
}

impl Registry {
    /// Waits for the next round, and has it known when that begins.
    async fn rest_from_scrub(&self, rest: Duration) {
        {
            let mut view = self.scrub.view();
            view.begun = None;
            view.next = Some(self.clock.now().plus(rest));
        }
        tokio::time::sleep(rest).await;
    }

    /// Reads all content once. It begins anywhere, so that a server that is often started again reads all of it some time.
    async fn scrub_round(&self, bytes_per_s: Option<f64>) -> Result<(), Refusal> {
        {
            let mut view = self.scrub.view();
            (view.begun, view.next, view.round_bytes) = (Some(self.clock.now()), None, 0);
        }
        let begin = Sha256::from_bytes(random_bytes()?);
        let mut found = BTreeSet::new();
        let (mut after, mut has_turned) = (Some(begin), false);
        loop {
            let next = self.store.next_blob(after.as_ref())?;
            let Some(blob) = next.filter(|blob| !has_turned || blob.sha256 <= begin) else {
                if has_turned {
                    break;
                }
                (after, has_turned) = (None, true);
                continue;
            };
            let pace = |bytes: u64| {
                let wait = bytes_per_s.map(|bytes_per_s| Duration::from_secs_f64(bytes as f64 / bytes_per_s));
                async move {
                    if let Some(wait) = wait {
                        tokio::time::sleep(wait).await;
                    }
                }
            };
            let problem = self.store.verify_blob(&blob, pace).await?;
            let name = blob.sha256.to_string();
            let mut view = self.scrub.view();
            view.blobs += 1;
            view.bytes += blob.size_bytes;
            view.round_bytes += blob.size_bytes;
            match problem {
                None => drop(view.damaged.remove(&name)),
                Some(problem) => {
                    tracing::error!(
                        sha256 = %name,
                        problem,
                        "content is damaged; `packhouse check` on a backup or the stopped server says which releases that \
                         affects"
                    );
                    found.insert(name.clone());
                    if view.damaged.len() < DAMAGED_MAX {
                        view.damaged.insert(name);
                    }
                }
            }
            after = Some(blob.sha256);
        }
        let mut view = self.scrub.view();
        // What was found before and is not there any more is no damage.
        view.damaged.retain(|name| found.contains(name));
        (view.begun, view.finished, view.problem) = (None, Some(self.clock.now()), None);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::atomic::AtomicI64;

    use bytes::Bytes;

    use super::*;
    use crate::service::{Clock, RegistryConfig};
    use crate::store::Edit;
    use crate::store::media::FaultMedia;

    const NOW: i64 = 1_800_000_000_000_000;

    fn open(media: &FaultMedia) -> Registry {
        let config = RegistryConfig { password_rounds: NonZeroU32::new(1), ..RegistryConfig::default() };
        Registry::open_media(Arc::new(media.clone()), config, Clock::Set(Arc::new(AtomicI64::new(NOW)))).unwrap()
    }

    /// Content of some length that is stored and referred to once.
    async fn store(registry: &Registry, content: &[u8]) -> Sha256 {
        let mut writer = registry.store.begin_blob(None).unwrap();
        writer.write(Bytes::copy_from_slice(content)).await.unwrap();
        let stored = writer.finish().await.unwrap();
        let adopt = move |edit: &mut Edit<'_, '_>| edit.adopt_blob(&stored);
        registry.store.write_content(content.len(), adopt).await.unwrap();
        Sha256::of(content)
    }

    fn content(seed: u8, len: usize) -> Vec<u8> {
        let block = |n: usize| *Sha256::of(format!("{seed} {n}").as_bytes()).as_bytes();
        (0..=len / 32).flat_map(block).take(len).collect()
    }

    #[tokio::test]
    async fn all_content_is_read_and_damage_is_told_until_it_is_gone() {
        let media = FaultMedia::new();
        let registry = open(&media);
        let contents: Vec<_> = (0..12).map(|n| content(n, if n % 2 == 0 { 3_000 } else { 300_000 })).collect();
        let mut digests = Vec::new();
        for content in &contents {
            digests.push(store(&registry, content).await);
        }
        registry.scrub_round(None).await.unwrap();
        let told = registry.scrub.told();
        let bytes: usize = contents.iter().map(Vec::len).sum();
        assert_eq!((told.blobs, told.bytes, told.damaged.len()), (12, bytes as u64, 0));
        assert_eq!((told.finished, told.begun), (Some(Timestamp::from_micros(NOW)), None));
        assert_eq!(told.round_bytes, bytes as u64);
        registry.close();
        drop(registry);

        let file = media.content("blobs/00000001.redb").unwrap();
        let places = file.windows(64).enumerate().filter(|(_, window)| *window == &contents[3][1000..1064]);
        places.for_each(|(offset, _)| media.damage("blobs/00000001.redb", offset as u64));
        let registry = open(&media);
        for _ in 0..2 {
            registry.scrub_round(None).await.unwrap();
            assert_eq!(registry.scrub.told().damaged, BTreeSet::from([digests[3].to_string()]));
        }
        // What was deleted since it was found is not met again.
        registry.scrub.view().damaged.insert(Sha256::of(b"deleted").to_string());
        registry.scrub_round(None).await.unwrap();
        assert_eq!(registry.scrub.told().damaged, BTreeSet::from([digests[3].to_string()]));
        registry.close();
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_known_when_the_next_round_begins_and_why_one_did_not_end() {
        let media = FaultMedia::new();
        let registry = Arc::new(open(&media));
        store(&registry, &content(1, 3_000)).await;
        let after = |wait: Duration| Some(Timestamp::from_micros(NOW + wait.as_micros() as i64));
        let rounds = tokio::spawn(scrub(Arc::clone(&registry)));
        tokio::time::sleep(DELAY / 2).await;
        assert_eq!((registry.scrub.told().next, registry.scrub.told().finished), (after(DELAY), None));
        tokio::time::sleep(DELAY).await;
        let told = registry.scrub.told();
        assert!(told.next > after(ROUND - DELAY) && told.next <= after(ROUND), "{told:?}");
        assert!(told.finished.is_some() && told.begun.is_none() && told.problem.is_none(), "{told:?}");
        rounds.abort();
        let _ = rounds.await;
        registry.close();
    }

    #[tokio::test]
    async fn nothing_at_all_is_a_round() {
        let registry = open(&FaultMedia::new());
        registry.scrub_round(Some(BYTES_PER_S)).await.unwrap();
        assert_eq!(registry.scrub.told().finished, Some(Timestamp::from_micros(NOW)));
        registry.close();
    }
}
