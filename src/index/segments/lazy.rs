//! A value that is made when it is first asked for, once however many wait, and may be replaced by a better one later.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;

/// See the module.
pub(super) struct Lazy<T> {
    cell: OnceLock<ArcSwap<T>>,
}

impl<T> Lazy<T> {
    pub(super) const fn new() -> Self {
        Self { cell: OnceLock::new() }
    }

    /// The value, where it was made already. Never waits.
    pub(super) fn get(&self) -> Option<Arc<T>> {
        self.cell.get().map(ArcSwap::load_full)
    }

    /// The value, made now where it was not; all who ask meanwhile wait for that.
    pub(super) fn get_or_make(&self, make: impl FnOnce() -> T) -> Arc<T> {
        self.cell.get_or_init(|| ArcSwap::from_pointee(make())).load_full()
    }

    /// Puts `better` in the place of a value that was made; drops it where none was.
    pub(super) fn replace(&self, better: T) {
        if let Some(value) = self.cell.get() {
            value.store(Arc::new(better));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn many_first_readers_make_it_once() {
        let lazy = Lazy::new();
        let (made, barrier) = (AtomicUsize::new(0), Barrier::new(16));
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    barrier.wait();
                    let value = lazy.get_or_make(|| made.fetch_add(1, Ordering::SeqCst));
                    assert_eq!(*value, 0);
                });
            }
        });
        assert_eq!(made.into_inner(), 1);
    }

    #[test]
    fn only_what_was_made_is_replaced() {
        let lazy = Lazy::new();
        lazy.replace(1);
        assert!(lazy.get().is_none());
        lazy.get_or_make(|| 2);
        lazy.replace(3);
        assert_eq!(lazy.get().as_deref(), Some(&3));
        assert_eq!(*lazy.get_or_make(|| 4), 3);
    }
}
