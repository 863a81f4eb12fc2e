//! Removes what an earlier run left in the active volume without an owner.
//!
//! Owns the comparison of the volume's runs with the ledger. Sealed volumes need no sweep: there, whatever the
//! ledger does not count is dead, and ids are never used twice. Content of this run is left alone.

use super::{Shared, ledger, volume};
use crate::store::file::{Lane, StorageError};

/// Runs compared at a time.
const BATCH_RUNS: usize = 1024;

impl Shared {
    /// Sweeps the active volume as far as it is needed; answers how many runs were removed. Blocks.
    pub(super) fn sweep(&self) -> Result<u64, StorageError> {
        let mut swept_below = 0;
        self.entities.look(&mut |snapshot| {
            swept_below = ledger::swept_below(snapshot)?;
            Ok(())
        })?;
        let number = self.volumes.active().number;
        let mut removed = 0;
        let mut from = (swept_below, 0);
        loop {
            let runs = self.volumes.view(number, |snapshot| volume::runs(snapshot, from, BATCH_RUNS))?;
            let mut runs = runs.unwrap_or_default();
            runs.retain(|run| run.blob_id < self.first_id);
            let Some(last) = runs.last().copied() else { break };
            from = (last.blob_id, last.first + 1);
            let mut orphans = Vec::new();
            self.entities.look(&mut |snapshot| {
                orphans.clear();
                for run in &runs {
                    // Somebody may be going on with unfinished content at this moment.
                    if ledger::is_partial(snapshot, run.blob_id)? {
                        continue;
                    }
                    let layout = ledger::layout_of(snapshot, run.blob_id)?;
                    if !layout.is_some_and(|layout| layout.places_any(&run.range(), number)) {
                        orphans.push(*run);
                    }
                }
                Ok(())
            })?;
            for run in &orphans {
                for done in self.volumes.remove(number, Lane::Bulk, run.blob_id, Some(run.first), run.chunks) {
                    done.wait()?;
                }
                removed += 1;
            }
        }
        ledger::set_swept_below(&*self.entities, self.first_id)?;
        Ok(removed)
    }
}
