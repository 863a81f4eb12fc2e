//! Content that comes in several sittings, through restarts, rewriting and collection.

use super::*;
use crate::store::blobs::{BlobWriter, Part};

fn keep(rig: &Rig, part: &Part) {
    let part = part.clone();
    let job = move |transaction: &Transaction<'_>, scratch: &mut Touched| {
        scratch.mark_written();
        Ok::<_, WriteError<std::convert::Infallible>>(ledger::keep_part(transaction, &part)?)
    };
    block_on(rig.entities.write(Lane::Small, 0, job)).map_err(WriteError::into_storage).unwrap();
}

fn give_up(rig: &Rig, blob_id: u64) {
    let job = move |transaction: &Transaction<'_>, scratch: &mut Touched| {
        scratch.mark_written();
        Ok::<_, WriteError<std::convert::Infallible>>(ledger::drop_part(transaction, blob_id)?)
    };
    block_on(rig.entities.write(Lane::Small, 0, job)).map_err(WriteError::into_storage).unwrap();
}

fn receive(rig: &Rig, writer: &mut BlobWriter, content: &Bytes) -> Part {
    rig.runtime.block_on(async {
        for piece in content.chunks(70_001) {
            writer.write(content.slice_ref(piece)).await.unwrap();
        }
        writer.whole_part().await.unwrap()
    })
}

fn begin(rig: &Rig) -> BlobWriter {
    rig.blobs.begin(None).unwrap()
}

fn reopen(rig: &Rig, blob_id: u64) -> BlobWriter {
    rig.runtime.block_on(rig.blobs.reopen(blob_id, None)).unwrap()
}

#[test]
fn it_comes_together_over_restarts_wherever_it_is_cut() {
    let mut rig = Rig::new();
    let mut model = Model::new();
    // In between come blobs that fill the volumes and go again, so that what is kept is moved.
    for (seed, cuts) in [
        (1, &[0usize, 1, 300_000, 900_000][..]),
        (2, &[262_124, 524_248]),
        (3, &[1_000, 1_001]),
        (4, &[70_000, 1_500_000, 2_200_000]),
    ] {
        let whole = content(seed, 2_345_678);
        let mut blob_id = None;
        let mut at = 0;
        for cut in cuts {
            let mut writer = blob_id.map_or_else(|| begin(&rig), |blob_id| reopen(&rig, blob_id));
            assert_eq!(writer.len_bytes(), at as u64);
            let part = receive(&rig, &mut writer, &whole.slice(at..*cut));
            assert_eq!(part.end_bytes(), *cut as u64);
            keep(&rig, &part);
            writer.note_kept(&part);
            (blob_id, at) = (Some(part.blob_id()), *cut);
            // What comes behind the part is lost with the writer.
            drop(receive(&rig, &mut writer, &whole.slice(*cut..(*cut + 400_000).min(whole.len()))));
            drop(writer);
            let filler = content(100 * seed + *cut as u64, 700_000);
            rig.put(&filler).unwrap();
            rig.release(Sha256::of(&filler)).unwrap();
            rig = rig.reopen();
            rig.settle();
            rig.blobs.collect().unwrap();
            rig.blobs.collect().unwrap();
        }
        let mut writer = reopen(&rig, blob_id.unwrap());
        receive(&rig, &mut writer, &whole.slice(at..));
        let stored = rig.runtime.block_on(writer.finish()).unwrap();
        assert_eq!(stored.sha256(), Sha256::of(&whole));
        assert_eq!(stored.crc32(), crate::model::Crc32::of(&whole));
        assert_eq!(rig.adopt(stored).unwrap(), Adopted::New);
        model.insert(Sha256::of(&whole), (whole.clone(), 1));
        assert_eq!(rig.read(Sha256::of(&whole), 0..u64::MAX).unwrap(), whole);
    }
    for (sha256, (content, _)) in &model {
        assert_eq!(rig.read(*sha256, 0..u64::MAX).unwrap(), *content);
    }
}

#[test]
fn what_is_received_in_one_go_is_kept_in_parts_meanwhile() {
    let rig = Rig::new();
    let whole = content(7, 3_000_000);
    let mut writer = begin(&rig);
    let mut kept = 0;
    for piece in whole.chunks(65_536) {
        rig.runtime.block_on(writer.write(whole.slice_ref(piece))).unwrap();
        if let Some(part) = writer.durable_part() {
            assert!(part.end_bytes() > kept && part.end_bytes() <= writer.len_bytes());
            kept = part.end_bytes();
            keep(&rig, &part);
            writer.note_kept(&part);
        }
    }
    assert!(kept > 0);
    let stored = rig.runtime.block_on(writer.finish()).unwrap();
    rig.adopt(stored).unwrap();
    rig.check(&Model::from([(Sha256::of(&whole), (whole.clone(), 1))]));
}

#[test]
fn rolling_back_replaces_what_came_since() {
    let rig = Rig::new();
    let whole = content(8, 1_200_000);
    let mut writer = begin(&rig);
    let part = receive(&rig, &mut writer, &whole.slice(..400_000));
    keep(&rig, &part);
    writer.note_kept(&part);
    let mark = writer.mark();
    receive(&rig, &mut writer, &content(9, 800_000));
    rig.runtime.block_on(writer.roll_back(mark)).unwrap();
    assert_eq!(writer.len_bytes(), 400_000);
    receive(&rig, &mut writer, &whole.slice(400_000..));
    let stored = rig.runtime.block_on(writer.finish()).unwrap();
    assert_eq!(stored.sha256(), Sha256::of(&whole));
    rig.adopt(stored).unwrap();
    assert_eq!(rig.read(Sha256::of(&whole), 0..u64::MAX).unwrap(), whole);
}

#[test]
fn what_is_given_up_or_there_already_leaves_nothing() {
    let rig = Rig::new();
    let whole = content(10, 900_000);
    let mut writer = begin(&rig);
    let part = receive(&rig, &mut writer, &whole);
    keep(&rig, &part);
    writer.note_kept(&part);
    rig.settle();
    rig.blobs.collect().unwrap();
    assert_eq!(reopen(&rig, part.blob_id()).len_bytes(), 900_000, "it is no orphan");
    give_up(&rig, part.blob_id());
    writer.discard();
    rig.check(&Model::new());

    rig.put(&whole).unwrap();
    let mut writer = begin(&rig);
    let part = receive(&rig, &mut writer, &whole.slice(..600_000));
    keep(&rig, &part);
    writer.note_kept(&part);
    receive(&rig, &mut writer, &whole.slice(600_000..));
    let stored = rig.runtime.block_on(writer.finish()).unwrap();
    assert_eq!(rig.adopt(stored).unwrap(), Adopted::Existing);
    rig.check(&Model::from([(Sha256::of(&whole), (whole.clone(), 2))]));
}
