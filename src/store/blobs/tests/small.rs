//! Small content on its way from a row of the entity file into a pack, and out of it again.

use redb::{ReadableTable, TableDefinition};

use super::*;
use crate::store::blobs::{Packed, SMALL_BYTES_MAX, small};

/// Contents that fill `packs` packs and a little more.
fn contents(packs: usize) -> Vec<Bytes> {
    let sizes = [9, 100, 5_000, 20_000, SMALL_BYTES_MAX];
    let mut all = Vec::new();
    let mut bytes = 0;
    for seed in 1.. {
        let content = content(seed, sizes[seed as usize % sizes.len()]);
        bytes += content.len();
        all.push(content);
        if bytes > packs * (CHUNK_BYTES + SMALL_BYTES_MAX) {
            break;
        }
    }
    all
}

fn put_all(rig: &Rig, contents: &[Bytes]) -> Model {
    let put = |content: &Bytes| {
        assert_eq!(rig.put(content).unwrap(), Adopted::New);
        (Sha256::of(content), (content.clone(), 1))
    };
    contents.iter().map(put).collect()
}

fn blob_id(rig: &Rig, content: &Bytes) -> u64 {
    rig.info(Sha256::of(content)).unwrap().blob_id
}

fn read_to_end(rig: &Rig, reader: BlobReader) -> Vec<u8> {
    rig.runtime.block_on(reader.map(Result::unwrap).collect::<Vec<_>>()).concat()
}

#[test]
fn it_waits_in_rows_until_it_fills_a_pack() {
    let rig = Rig::new();
    let all = contents(3);
    let model = put_all(&rig, &all);
    let before = rig.blobs.survey().unwrap();
    assert_eq!((before.row_blobs, before.packs), (all.len() as u64, 0));
    assert_eq!(before.volumes[0].payload_bytes, 0, "nothing is in a volume yet");
    for (sha256, (content, _)) in &model {
        assert_eq!(rig.read(*sha256, 0..u64::MAX).unwrap(), *content);
    }
    let packed = rig.blobs.pack().unwrap();
    assert_eq!(packed.packs, 3, "{packed:?}");
    let after = rig.blobs.survey().unwrap();
    assert_eq!((after.packs, after.packed_bytes, after.dead_packed_bytes), (3, packed.bytes, 0));
    assert_eq!((after.row_blobs, after.row_bytes), (all.len() as u64 - packed.blobs, before.row_bytes - packed.bytes));
    assert!(after.row_bytes < CHUNK_BYTES as u64);
    for (sha256, (content, _)) in &model {
        let len = content.len();
        for (start, end) in
            [(0, len), (0, 1), (len / 3, len / 2), (len - 1, len + 9), (len, len + 1), (len + 5, len + 6)]
        {
            let expected = &content[start.min(len)..end.min(len)];
            assert_eq!(rig.read(*sha256, start as u64..end as u64).unwrap(), expected, "{start}..{end} of {len}");
        }
    }
    assert_eq!(rig.blobs.pack().unwrap(), Packed::default(), "less than a pack stays in rows");
    let rig = rig.reopen();
    rig.check(&model);
}

#[test]
fn the_same_content_is_kept_once_wherever_it_is() {
    let rig = Rig::new();
    let all = contents(1);
    let mut model = put_all(&rig, &all);
    for content in &all {
        assert_eq!(rig.put(content).unwrap(), Adopted::Existing);
    }
    rig.blobs.pack().unwrap();
    for content in &all {
        assert_eq!(rig.put(content).unwrap(), Adopted::Existing);
    }
    model.values_mut().for_each(|(_, references)| *references = 3);
    rig.check(&model);
    for _ in 0..3 {
        for content in &all {
            rig.release(Sha256::of(content)).unwrap();
        }
    }
    rig.check(&Model::new());
    assert_eq!(rig.blobs.survey().unwrap().packs, 0);
}

#[test]
fn a_mostly_dead_pack_is_taken_apart() {
    let rig = Rig::new();
    let all = contents(2);
    let mut model = put_all(&rig, &all);
    rig.blobs.pack().unwrap();
    let before = rig.blobs.survey().unwrap();
    // A little that is dead does not matter.
    let small = all.iter().find(|content| content.len() == 5_000).unwrap();
    rig.release(Sha256::of(small)).unwrap();
    model.remove(&Sha256::of(small));
    rig.check(&model);
    let survey = rig.blobs.survey().unwrap();
    assert_eq!((survey.packs, survey.dead_packed_bytes), (before.packs, 5_000));
    for content in all.iter().filter(|content| content.len() > 20_000) {
        rig.release(Sha256::of(content)).unwrap();
        model.remove(&Sha256::of(content));
    }
    rig.check(&model);
    let survey = rig.blobs.survey().unwrap();
    assert_eq!(survey.dead_packed_bytes, 0, "{survey:?}");
    assert!(survey.packs < before.packs, "{survey:?}");
    let rig = rig.reopen();
    rig.check(&model);
}

#[test]
fn readers_keep_what_they_read_while_it_moves() {
    let rig = Rig::new();
    let all = contents(1);
    let mut model = put_all(&rig, &all);
    let first = all.iter().find(|content| content.len() == SMALL_BYTES_MAX).unwrap();
    let in_row = rig.blobs.reader(blob_id(&rig, first), 10..u64::MAX).unwrap();
    rig.blobs.pack().unwrap();
    let in_pack = rig.blobs.reader(blob_id(&rig, first), 20..30_000).unwrap();
    for content in &all[1..] {
        rig.release(Sha256::of(content)).unwrap();
        model.remove(&Sha256::of(content));
    }
    let _ = model.insert(Sha256::of(first), (first.clone(), 1));
    // `first` was released with the others; it comes back as new content while its old copy is still read.
    rig.put(first).unwrap();
    assert_eq!(rig.blobs.collect().unwrap().blobs_in_use, 1, "the pack is read");
    assert_eq!(read_to_end(&rig, in_row), first[10..]);
    assert_eq!(read_to_end(&rig, in_pack), first[20..30_000]);
    rig.check(&model);
}

#[test]
fn content_that_is_released_while_it_is_packed_is_dead_there() {
    let rig = Rig::new();
    let all = contents(1);
    let mut model = put_all(&rig, &all);
    let gathered = rig.entities.view(|snapshot| small::gather(snapshot, 0)).unwrap();
    assert!(gathered.is_whole);
    let pack = rig.blobs.shared.send(gathered).unwrap();
    let gone = &all[2];
    rig.release(Sha256::of(gone)).unwrap();
    model.remove(&Sha256::of(gone));
    let mut report = Packed::default();
    rig.blobs.shared.note_pack(pack, &mut report).unwrap();
    assert_eq!(rig.blobs.survey().unwrap().dead_packed_bytes, gone.len() as u64);
    rig.check(&model);
    // And if all of it is gone, there is no pack.
    let gathered = rig.entities.view(|snapshot| small::gather(snapshot, 0)).unwrap();
    let pack = rig.blobs.shared.send(gathered).unwrap();
    for sha256 in std::mem::take(&mut model).keys() {
        rig.release(*sha256).unwrap();
    }
    let mut report = Packed::default();
    rig.blobs.shared.note_pack(pack, &mut report).unwrap();
    assert_eq!(report, Packed::default());
    rig.check(&model);
}

#[test]
fn when_too_much_waits_it_takes_the_long_way() {
    let rig = Rig::new();
    rig.blobs.shared.backlog.add(64 << 20);
    let content = content(1, 5_000);
    rig.put(&content).unwrap();
    assert_eq!(rig.layout(Sha256::of(&content)).size_bytes, 5_000);
    let model = Model::from([(Sha256::of(&content), (content, 1))]);
    rig.check(&model);
}

#[test]
fn a_directory_of_the_time_before_opens_with_its_small_content_in_chunks() {
    let rig = Rig::new();
    // As if too much waited, small content was stored like all other.
    rig.blobs.shared.backlog.add(64 << 20);
    let all = contents(1);
    let mut model = put_all(&rig, &all);
    let forget = |transaction: &WriteTransaction, scratch: &mut Touched| {
        scratch.mark_written();
        transaction.delete_table(TableDefinition::<u64, (u32, &[u8])>::new("blob_rows"))?;
        transaction.delete_table(TableDefinition::<u64, (u64, u32, u32)>::new("blob_packed"))?;
        transaction.delete_table(TableDefinition::<u64, &[u8]>::new("blob_packs"))?;
        transaction.delete_table(TableDefinition::<u64, ()>::new("blob_sparse_packs"))?;
        Ok::<_, WriteError<std::convert::Infallible>>(())
    };
    block_on(rig.entities.write(Lane::Small, 0, forget)).unwrap();
    let rig = rig.reopen();
    rig.check(&model);
    assert_eq!(rig.blobs.survey().unwrap().packs, 0);
    for content in &all[..all.len() / 2] {
        rig.release(Sha256::of(content)).unwrap();
        model.remove(&Sha256::of(content));
    }
    let new = content(1000, 7_000);
    rig.put(&new).unwrap();
    model.insert(Sha256::of(&new), (new, 1));
    rig.check(&model);
}

#[test]
fn what_contradicts_itself_is_told() {
    type Wrong = fn(&WriteTransaction, u64, u64) -> Result<bool, StorageError>;
    let told = |wrong: Wrong| {
        let rig = Rig::new();
        let all = contents(1);
        put_all(&rig, &all);
        rig.blobs.pack().unwrap();
        let tell = || rig.entities.view(small::contradictions).unwrap();
        assert_eq!(tell(), [""; 0]);
        let [first, second] = [&all[0], &all[1]].map(|content| blob_id(&rig, content));
        let damage = move |transaction: &WriteTransaction, scratch: &mut Touched| {
            scratch.mark_written();
            Ok::<_, WriteError<std::convert::Infallible>>(wrong(transaction, first, second)?)
        };
        block_on(rig.entities.write(Lane::Small, 0, damage)).unwrap();
        tell()
    };
    const PACKED: TableDefinition<u64, (u64, u32, u32)> = TableDefinition::new("blob_packed");
    const ROWS: TableDefinition<u64, (u32, &[u8])> = TableDefinition::new("blob_rows");
    const PACKS: TableDefinition<u64, &[u8]> = TableDefinition::new("blob_packs");
    const SPARSE: TableDefinition<u64, ()> = TableDefinition::new("blob_sparse_packs");
    fn place(table: &impl ReadableTable<u64, (u64, u32, u32)>, blob: u64) -> (u64, u32, u32) {
        table.get(blob).unwrap().unwrap().value()
    }
    let cases: [(Wrong, &str); 7] = [
        (|t, first, _| Ok(t.open_table(PACKED)?.remove(first)?.is_some()), "it names other content than"),
        (
            |t, first, _| Ok(t.open_table(ROWS)?.insert(first, (0, &b"twice"[..]))?.is_some()),
            "it is in a row and in pack",
        ),
        (
            |t, first, _| {
                let mut packed = t.open_table(PACKED)?;
                let (pack, start, len) = place(&packed, first);
                Ok(packed.insert(first, (pack, start, len - 1))?.is_some())
            },
            "the count of its live bytes is wrong",
        ),
        (
            |t, first, second| {
                let mut packed = t.open_table(PACKED)?;
                let ((pack, start, len), (_, _, other)) = (place(&packed, first), place(&packed, second));
                packed.insert(second, (pack, start, other))?;
                Ok(packed.insert(first, (pack, start, len))?.is_some())
            },
            "in the same place",
        ),
        (
            |t, first, _| {
                let mut packed = t.open_table(PACKED)?;
                let (pack, _, len) = place(&packed, first);
                Ok(packed.insert(first, (pack, 3 << 30, len))?.is_some())
            },
            "behind its end",
        ),
        (
            |t, first, _| {
                let (pack, ..) = place(&t.open_table(PACKED)?, first);
                Ok(t.open_table(SPARSE)?.insert(pack, ())?.is_some())
            },
            "whether it is to be taken apart is not noted",
        ),
        (
            |t, first, _| {
                let (pack, ..) = place(&t.open_table(PACKED)?, first);
                Ok(t.open_table(PACKS)?.remove(pack)?.is_some())
            },
            "it is missing, and content is said to be in it",
        ),
    ];
    for (wrong, words) in cases {
        let told = told(wrong);
        assert!(told.len() == 1 && told[0].contains(words), "{words}: {told:?}");
    }
}

#[test]
fn damage_is_found_and_left_where_it_is() {
    let rig = Rig::new();
    let all = contents(1);
    let model = put_all(&rig, &all);
    let damage = |rig: &Rig, name: &str, content: &Bytes| {
        let file = rig.media.content(name).unwrap();
        let places = file.windows(64).enumerate().filter(|(_, window)| *window == &content[100..164]);
        // redb may have left copies behind.
        places.for_each(|(offset, _)| rig.media.damage(name, offset as u64));
    };
    let large = |nth: usize| all.iter().filter(|content| content.len() == 20_000).nth(nth).unwrap();
    damage(&rig, "packhouse.redb", large(0));
    let rig = rig.reopen();
    let blob = blob_id(&rig, large(0));
    assert_eq!(rig.read(Sha256::of(large(0)), 0..10).unwrap_err(), ReadError::CorruptRow { blob_id: blob });
    rig.blobs.pack().unwrap();
    assert_eq!(rig.read(Sha256::of(large(0)), 0..10).unwrap_err(), ReadError::CorruptRow { blob_id: blob });
    for content in model.values().map(|(content, _)| content).filter(|content| *content != large(0)) {
        assert_eq!(rig.read(Sha256::of(content), 0..u64::MAX).unwrap(), *content);
    }

    damage(&rig, "blobs/00000001.redb", large(1));
    let rig = rig.reopen();
    assert!(matches!(rig.read(Sha256::of(large(1)), 0..10).unwrap_err(), ReadError::Corrupt { chunk: 0, .. }));
    for content in all.iter().filter(|content| content.len() == SMALL_BYTES_MAX) {
        rig.release(Sha256::of(content)).unwrap();
    }
    assert_eq!(rig.blobs.collect().unwrap().damaged_chunks, 1, "the pack cannot be taken apart");
    assert_eq!(rig.blobs.collect().unwrap().damaged_chunks, 0, "and is not tried again");
}
