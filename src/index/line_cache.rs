//! Which packages' lines stay in memory: those last read, up to so many bytes.
//!
//! Lines that are let go are rendered again when somebody reads them. Knows neither views nor how lines are made.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::package_file::PackageFile;

/// The lines that are in memory.
pub(super) struct LineCache {
    bytes_max: usize,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// The longest kept first, but for those that were read since they were last looked at.
    files: VecDeque<Weak<PackageFile>>,
    /// About what they took when they were last looked at.
    bytes: usize,
}

impl LineCache {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, kept: Mutex::default() }
    }

    /// Counts files whose lines have come, and lets go of others where that is too much.
    pub(super) fn keep<'a>(&self, files: impl Iterator<Item = &'a Arc<PackageFile>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for file in files {
            kept.bytes += file.lines_bytes();
            kept.files.push_back(Arc::downgrade(file));
        }
        if kept.bytes > self.bytes_max {
            kept.let_go(self.bytes_max);
        }
    }
}

impl Kept {
    /// Comes down to seven eighths, so that not every file that comes has all looked at.
    fn let_go(&mut self, bytes_max: usize) {
        let goal = bytes_max / 8 * 7;
        // Files that no view has any more are gone, and what was text is compressed meanwhile.
        let present = |file: &Weak<PackageFile>| file.upgrade().map_or(0, |file| file.lines_bytes());
        self.bytes = 0;
        self.files.retain(|file| {
            let bytes = present(file);
            self.bytes += bytes;
            bytes > 0
        });
        // Once around, whoever was read gets another round; whoever was not is let go.
        let mut left = 2 * self.files.len();
        while self.bytes > goal && left > 0 {
            left -= 1;
            let Some(weak) = self.files.pop_front() else { return };
            let Some(file) = weak.upgrade() else { continue };
            if file.was_read() {
                self.files.push_back(weak);
            } else {
                self.bytes -= file.lines_bytes().min(self.bytes);
                file.empty();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(at: usize) -> Arc<PackageFile> {
        // Nothing that compresses.
        let line = crate::model::Sha256::of(&at.to_le_bytes()).to_string().repeat(4);
        Arc::new(PackageFile::new(format!("omni.p{at}").into(), std::iter::once(&*line)))
    }

    fn bytes_of(files: &[Arc<PackageFile>]) -> usize {
        files.iter().map(|file| file.lines_bytes()).sum()
    }

    /// The compressed lines of everything that was ever read used to stay: 90 MB of 100,000 packages.
    #[test]
    fn what_was_not_read_goes_first_and_the_rest_stays_below_the_bound() {
        let files: Vec<_> = (0..1_000).map(file).collect();
        let bytes_max = bytes_of(&files) / 4;
        let cache = LineCache::new(bytes_max);
        for (at, one) in files.iter().enumerate() {
            cache.keep(std::iter::once(one));
            assert!(bytes_of(&files[..=at]) <= bytes_max);
            assert!(one.is_filled(), "what has just come stays");
            // Somebody reads the first ten over and over.
            for file in &files[..10] {
                if let Some(rendered) = file.rendered() {
                    drop(rendered);
                } else {
                    let _ = file.render();
                }
            }
        }
        assert!(files[..10].iter().all(|file| file.is_filled()), "they are read all the time");
        assert!(!files[100].is_filled() && files[999].is_filled());
        assert!(bytes_of(&files) > bytes_max / 2, "there is room for more");
    }

    #[test]
    fn lines_that_were_let_go_can_be_filled_in_again() {
        let one = file(1);
        let text = one.text();
        one.empty();
        assert_eq!((one.text(), one.lines_bytes()), (None, 0));
        assert!(one.render().is_none());
        assert!(!one.fill(&file(2)), "of another package");
        assert!(one.fill(&file(1)));
        assert_eq!(one.text(), text);
    }

    #[test]
    fn files_that_are_gone_make_room() {
        let cache = LineCache::new(100_000);
        let stays = file(0);
        cache.keep(std::iter::once(&stays));
        for at in 1..5_000 {
            cache.keep(std::iter::once(&file(at)));
        }
        assert!(stays.is_filled(), "the others were gone before it");
        assert!(cache.kept.lock().unwrap().files.len() < 1_000);
    }
}
