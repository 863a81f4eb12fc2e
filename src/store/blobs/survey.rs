//! What is stored where, counted from the tables themselves: for checks that nothing is lost and nothing is left over.
//!
//! Reads only. While the store is written, the parts of a survey are of different moments and need not agree.

use super::{Blobs, ledger, small, volume, volumes};
use crate::model::Sha256;
use crate::store::file::StorageError;
use crate::store::media::Media;

/// All content and where its bytes are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// The blobs that are referred to, in the order of their digests.
    pub blobs: Vec<LiveBlob>,
    /// Blobs that nobody refers to any more and that were not removed yet.
    pub garbage_blobs: u64,
    /// Blobs in the entity file itself. No volume counts them.
    pub row_blobs: u64,
    /// Their bytes.
    pub row_bytes: u64,
    /// Packs of small blobs, which volumes count as a whole.
    pub packs: u64,
    /// Bytes of blobs in them.
    pub packed_bytes: u64,
    /// Bytes in them of blobs that nobody refers to any more.
    pub dead_packed_bytes: u64,
    /// The volumes, in the order of their numbers.
    pub volumes: Vec<SurveyedVolume>,
}

/// A blob that is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveBlob {
    /// Its name.
    pub sha256: Sha256,
    /// Its length in bytes.
    pub size_bytes: u64,
    /// How many files refer to it.
    pub references: u64,
}

/// What a volume holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyedVolume {
    /// Its number.
    pub number: u32,
    /// Whether it is the one that is written.
    pub active: bool,
    /// Bytes in it of blobs that are referred to, and of packs.
    pub live_bytes: u64,
    /// Bytes of all content in it. In a sealed volume, what is dead counts until the volume is rewritten.
    pub payload_bytes: u64,
    /// The most that `payload_bytes` ever was: about the size of the file.
    pub peak_bytes: u64,
}

/// What takes room on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes that may still be written.
    pub disk_free_bytes: u64,
    /// Bytes of the whole disk.
    pub disk_total_bytes: u64,
    /// Bytes of the entity file.
    pub entities_bytes: u64,
    /// How many blobs are referred to.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// The volumes, in the order of their numbers.
    pub volumes: Vec<UsedVolume>,
}

/// What a volume takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedVolume {
    /// Its number.
    pub number: u32,
    /// Whether it is the one that is written.
    pub active: bool,
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Bytes in it of blobs that are referred to.
    pub live_bytes: u64,
}

impl Blobs {
    /// Says what the volumes take, without a look into those, and counts the blobs if `counts_blobs`. Blocks, for moments
    /// or for about a second per million blobs.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn usage(&self, media: &dyn Media, counts_blobs: bool) -> Result<Usage, StorageError> {
        let io = |error| StorageError::from_io(&error);
        let mut usage = Usage {
            disk_free_bytes: media.free_bytes().map_err(io)?,
            disk_total_bytes: media.total_bytes().map_err(io)?,
            ..Usage::default()
        };
        let mut live = Vec::new();
        self.shared.entities.look(&mut |snapshot| {
            if counts_blobs {
                (usage.blobs, usage.blob_bytes) = ledger::live_totals(snapshot)?;
            }
            live = ledger::live_bytes(snapshot)?;
            Ok(())
        })?;
        let active = self.shared.volumes.active().number;
        for number in self.shared.volumes.numbers() {
            let live_bytes = live.iter().find(|(volume, _)| *volume == number).map_or(0, |(_, bytes)| *bytes);
            let file_bytes = media.file_bytes(&volumes::file_name(number)).map_err(io)?;
            usage.volumes.push(UsedVolume { number, active: number == active, file_bytes, live_bytes });
        }
        Ok(usage)
    }

    /// Counts everything. Blocks, for about a second per million blobs.
    ///
    /// # Errors
    /// If a file cannot be read or contradicts itself.
    pub fn survey(&self) -> Result<Survey, StorageError> {
        let mut survey = Survey::default();
        let mut live = Vec::new();
        self.shared.entities.look(&mut |snapshot| {
            survey.blobs = ledger::live_blobs(snapshot)?;
            survey.garbage_blobs = ledger::garbage_count(snapshot)?;
            let totals = small::totals(snapshot)?;
            (survey.row_blobs, survey.row_bytes) = (totals.rows, totals.row_bytes);
            (survey.packs, survey.packed_bytes, survey.dead_packed_bytes) =
                (totals.packs, totals.packed_bytes, totals.dead_bytes);
            live = ledger::live_bytes(snapshot)?;
            Ok(())
        })?;
        let volumes = &self.shared.volumes;
        let active = volumes.active().number;
        for number in volumes.numbers() {
            let look = |snapshot: &_| Ok((volume::fill(snapshot)?.peak_bytes, volume::count_payload(snapshot)?));
            let Some((peak_bytes, payload_bytes)) = volumes.view(number, look)? else { continue };
            let live_bytes = live.iter().find(|(volume, _)| *volume == number).map_or(0, |(_, bytes)| *bytes);
            survey.volumes.push(SurveyedVolume {
                number,
                active: number == active,
                live_bytes,
                payload_bytes,
                peak_bytes,
            });
        }
        Ok(survey)
    }
}
