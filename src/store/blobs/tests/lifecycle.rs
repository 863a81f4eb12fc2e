//! What happens to a blob from its upload to the return of its space.

use std::task::Poll;

use super::*;
use crate::store::blobs::ledger::Released;

#[test]
fn blobs_of_every_shape_come_back_to_the_byte() {
    let mut rig = Rig::new();
    let mut model = Model::new();
    let sizes = [0, 1, 1007, 1008, 5_000, 16_363, 16_364, 16_365, 262_123, 262_124, 262_125, 700_000, 5_000_000];
    for (seed, size) in sizes.into_iter().enumerate() {
        let content = content(seed as u64, size);
        let stored = rig.store(&content).unwrap();
        assert_eq!(stored.sha256(), Sha256::of(&content));
        assert_eq!(stored.crc32(), crate::model::Crc32::of(&content));
        assert_eq!(stored.size_bytes(), size as u64);
        assert_eq!(rig.adopt(stored).unwrap(), Adopted::New);
        model.insert(Sha256::of(&content), (content, 1));
    }
    rig.check(&model);
    let spanning = rig.layout(*model.iter().find(|(_, (content, _))| content.len() == 5_000_000).unwrap().0);
    assert!(spanning.extents.len() > 4, "{:?}", spanning.extents);
    rig = rig.reopen();
    rig.check(&model);
}

#[test]
fn ranges_cross_chunks_and_volumes() {
    let rig = Rig::new();
    let content = content(1, 1_500_000);
    rig.put(&content).unwrap();
    let sha256 = Sha256::of(&content);
    let edges = [0, 1, 262_123, 262_124, 262_125, 1_048_496, 1_310_620, 1_441_672, 1_499_999, 1_500_000, 2_000_000];
    for start in edges {
        for end in edges {
            let expected = if start < end { &content[start.min(1_500_000)..end.min(1_500_000)] } else { &[] };
            assert_eq!(rig.read(sha256, start as u64..end as u64).unwrap(), expected, "{start}..{end}");
        }
    }
}

#[test]
fn the_same_content_is_kept_once_and_counted() {
    let rig = Rig::new();
    let content = content(1, 300_000);
    let sha256 = Sha256::of(&content);
    assert_eq!(rig.put(&content).unwrap(), Adopted::New);
    assert_eq!(rig.put(&content).unwrap(), Adopted::Existing);
    rig.check(&Model::from([(sha256, (content.clone(), 2))]));
    assert_eq!(rig.release(sha256).unwrap(), Released::Kept);
    assert_eq!(rig.release(sha256).unwrap(), Released::Last);
    assert!(matches!(rig.release(sha256), Err(StorageError::Corrupt { .. })));
    assert_eq!(rig.info(sha256), None);
    // Again before the collector has removed the first copy.
    assert_eq!(rig.put(&content).unwrap(), Adopted::New);
    rig.check(&Model::from([(sha256, (content, 1))]));
}

#[test]
fn uploads_that_are_given_up_leave_nothing() {
    let rig = Rig::new();
    for size in [10, 200_000, 600_000, 3_000_000] {
        drop(rig.store(&content(1, size)).unwrap());
        rig.runtime.block_on(async {
            let mut writer = rig.blobs.begin(None).unwrap();
            writer.write(content(2, size)).await.unwrap();
            drop(writer);
            // A handler that is cancelled inside a wait.
            let mut writer = rig.blobs.begin(None).unwrap();
            let mut upload = Box::pin(async move {
                writer.write(content(3, size)).await?;
                writer.finish().await
            });
            for _ in 0..5 {
                let poll = std::future::poll_fn(|context| Poll::Ready(upload.as_mut().poll(context).is_ready()));
                if poll.await {
                    break;
                }
            }
        });
    }
    rig.check(&Model::new());
}

#[test]
fn a_cancelled_wait_loses_nothing() {
    let rig = Rig::new();
    let content = content(1, 4_000_000);
    let stored = rig.runtime.block_on(async {
        let mut writer = rig.blobs.begin(None).unwrap();
        let mut taken = 0;
        while taken < content.len() {
            let mut write = Box::pin(writer.write(content.slice(taken..)));
            let poll = std::future::poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_ready()));
            poll.await;
            drop(write);
            taken = writer.len_bytes() as usize;
            tokio::task::yield_now().await;
        }
        writer.finish().await.unwrap()
    });
    rig.adopt(stored).unwrap();
    rig.check(&Model::from([(Sha256::of(&content), (content, 1))]));
}

#[test]
fn a_failed_upload_cannot_be_finished() {
    let rig = Rig::new();
    rig.media.fail_write_after(0, crate::store::media::Fault::DiskFull, true);
    let content = content(1, 300_000);
    rig.runtime.block_on(async {
        let mut writer = rig.blobs.begin(None).unwrap();
        while let Ok(()) = writer.write(content.clone()).await {
            tokio::task::yield_now().await;
            assert!(writer.len_bytes() < 100 << 20, "at most 12 MiB may be under way");
        }
        rig.media.heal();
        assert_eq!(writer.write(content.slice(..10)).await, Err(StorageError::DiskFull));
        assert_eq!(writer.finish().await.unwrap_err(), StorageError::DiskFull);
    });
    rig.check(&Model::new());
}

#[test]
fn an_upload_needs_room_on_the_disk() {
    let rig = Rig::new();
    rig.media.set_free_bytes(1_000_000);
    assert_eq!(rig.blobs.begin(Some(1 << 30)).unwrap_err(), BeginError::DiskFull);
    let first = rig.blobs.begin(Some(900_000)).unwrap();
    assert_eq!(rig.blobs.begin(Some(900_000)).unwrap_err(), BeginError::DiskFull);
    drop(first);
    rig.blobs.begin(Some(900_000)).unwrap();
}

#[test]
fn a_dead_volume_is_deleted_and_a_mostly_dead_one_rewritten_under_its_readers() {
    let rig = Rig::new();
    let all: Vec<Bytes> = (0..12).map(|seed| content(seed, 250_000)).collect();
    for content in &all {
        rig.put(content).unwrap();
    }
    assert!(rig.blobs.volume_count() >= 3);
    let kept = Sha256::of(&all[0]);
    let layout = rig.layout(kept);
    let mut reader = rig.blobs.reader(layout.blob_id, 0..u64::MAX).unwrap();
    let first = rig.runtime.block_on(reader.next()).unwrap().unwrap();
    for content in &all[1..] {
        rig.release(Sha256::of(content)).unwrap();
    }
    let report = rig.blobs.collect().unwrap();
    assert_eq!((report.blobs_removed, report.volumes_rewritten), (11, 1), "{report:?}");
    assert!(report.volumes_removed >= 2, "{report:?}");
    assert_eq!(report.moved_bytes, 250_000);
    assert_ne!(rig.layout(kept).extents, layout.extents);
    let rest: Vec<Bytes> = rig.runtime.block_on((&mut reader).map(Result::unwrap).collect());
    assert_eq!([&[first][..], &rest].concat().concat(), all[0], "the reader followed");
    // By the old layout as well.
    assert_eq!(rig.blobs.read_chunk(&layout, 0).unwrap(), all[0].slice(..131_052));
    rig.check(&Model::from([(kept, (all[0].clone(), 1))]));
}

#[test]
fn a_deleted_blob_stays_for_its_readers() {
    let rig = Rig::new();
    let content = content(1, 900_000);
    rig.put(&content).unwrap();
    let blob_id = rig.info(Sha256::of(&content)).unwrap().blob_id;
    let mut reader = rig.blobs.reader(blob_id, 0..u64::MAX).unwrap();
    rig.release(Sha256::of(&content)).unwrap();
    assert_eq!(rig.blobs.collect().unwrap().blobs_in_use, 1);
    let bytes: Vec<Bytes> = rig.runtime.block_on((&mut reader).map(Result::unwrap).collect());
    assert_eq!(bytes.concat(), content);
    drop(reader);
    assert_eq!(rig.blobs.collect().unwrap().blobs_removed, 1);
    assert_eq!(rig.blobs.reader(blob_id, 0..1).unwrap_err(), ReadError::Gone { blob_id });
    rig.check(&Model::new());
}

#[test]
fn a_deleted_blob_keeps_its_sealed_volume_for_its_readers() {
    let rig = Rig::new();
    let contents: Vec<Bytes> = (1..4).map(|seed| content(seed, 900_000)).collect();
    for content in &contents {
        rig.put(content).unwrap();
    }
    let blob_id = rig.info(Sha256::of(&contents[0])).unwrap().blob_id;
    let mut reader = rig.blobs.reader(blob_id, 0..u64::MAX).unwrap();
    for content in &contents {
        rig.release(Sha256::of(content)).unwrap();
    }
    for _ in 0..2 {
        assert_eq!(rig.blobs.collect().unwrap().blobs_in_use, 1);
    }
    let bytes: Vec<Bytes> = rig.runtime.block_on((&mut reader).map(Result::unwrap).collect());
    assert_eq!(bytes.concat(), contents[0]);
    drop(reader);
    rig.check(&Model::new());
}

#[test]
fn an_upload_that_waits_for_adoption_keeps_its_sealed_volume() {
    let rig = Rig::new();
    let content = content(1, 900_000);
    let stored = rig.store(&content).unwrap();
    for seed in 2..10 {
        rig.put(&super::content(seed, 250_000)).unwrap();
        rig.release(Sha256::of(&super::content(seed, 250_000))).unwrap();
    }
    for _ in 0..3 {
        rig.blobs.collect().unwrap();
    }
    rig.adopt(stored).unwrap();
    rig.check(&Model::from([(Sha256::of(&content), (content, 1))]));
}

#[test]
fn a_mostly_empty_active_volume_gives_its_space_back() {
    let rig = Rig::new();
    let (small, large) = (content(1, 1000), content(2, 800_000));
    rig.put(&small).unwrap();
    rig.put(&large).unwrap();
    rig.release(Sha256::of(&large)).unwrap();
    let report = rig.blobs.collect().unwrap();
    assert!(report.rolled_over && report.volumes_removed == 1, "{report:?}");
    rig.check(&Model::from([(Sha256::of(&small), (small, 1))]));
}

#[test]
fn a_download_that_comes_again_is_read_where_it_lies() {
    let rig = Rig::new();
    let content = content(1, 3 * CHUNK_BYTES + 5000);
    rig.put(&content).unwrap();
    let sha256 = Sha256::of(&content);
    let blob_id = rig.layout(sha256).blob_id;
    // redb would remember all of it.
    rig.blobs.close();
    rig.entities.close();
    let media = rig.media.clone();
    drop(rig);
    let rig = Rig::open(&media, BlobOptions { active_cache_bytes: 64 << 10, ..OPTIONS }).unwrap();
    let cached = &rig.blobs.shared.volumes.cached;
    let places = || [0, 1, 2].map(|index| cached.find((1, blob_id, index)).is_some());
    assert_eq!(rig.read(sha256, 0..u64::MAX).unwrap(), content);
    assert_eq!(places(), [true; 3]);
    // Only the places are known to the second.
    let file = rig.media.content("blobs/00000001.redb").unwrap();
    for index in 0..3 {
        let mut bytes = vec![0; CHUNK_BYTES];
        assert!(cached.find((1, blob_id, index)).unwrap().read(&mut bytes));
        let begin = index as usize * CHUNK_BYTES;
        assert_eq!(bytes, content[begin..begin + CHUNK_BYTES]);
    }
    assert_eq!(rig.read(sha256, 100..u64::MAX).unwrap(), content[100..]);
    // So are the two pieces of the tail, of which one shares its page.
    let mut begin = 3 * CHUNK_BYTES;
    for (index, len) in [(3, 4076), (4, 924)] {
        let mut bytes = vec![0; len];
        assert!(cached.find((1, blob_id, index)).unwrap().read(&mut bytes));
        assert_eq!(bytes, content[begin..begin + len]);
        begin += len;
    }
    cached.learn((1, blob_id, 4), 0, "blobs/00000001.redb");
    assert_eq!(rig.read(sha256, 3 * CHUNK_BYTES as u64 + 1..u64::MAX).unwrap(), content[3 * CHUNK_BYTES + 1..]);
    // A place that is wrong, be it in the file or behind its end, costs time alone.
    cached.learn((1, blob_id, 1), 0, "blobs/00000001.redb");
    cached.learn((1, blob_id, 2), file.len() as u64 - 1, "blobs/00000001.redb");
    assert_eq!(rig.read(sha256, 0..u64::MAX).unwrap(), content);
    rig.release(sha256).unwrap();
    rig.check(&Model::new());
}

#[test]
fn damage_is_found_and_named() {
    let rig = Rig::new();
    let content = content(1, 600_000);
    rig.put(&content).unwrap();
    let layout = rig.layout(Sha256::of(&content));
    let file = rig.media.content("blobs/00000001.redb").unwrap();
    let needle = &content[300_000..300_032];
    let offset = file.windows(32).position(|window| window == needle).unwrap();
    rig.media.damage("blobs/00000001.redb", offset as u64);
    let rig = rig.reopen();
    let expected = ReadError::Corrupt { volume: 1, blob_id: layout.blob_id, chunk: 1 };
    assert_eq!(rig.read(Sha256::of(&content), 0..u64::MAX).unwrap_err(), expected);
    assert_eq!(rig.read(Sha256::of(&content), 0..262_124).unwrap(), content[..262_124]);
}

#[test]
fn many_uploads_at_once_share_the_volumes() {
    let rig = Rig::new();
    let mut model = Model::new();
    let uploads: Vec<_> = (0..16)
        .map(|seed| {
            let content = content(seed, 400_000 + seed as usize * 10_000);
            model.insert(Sha256::of(&content), (content.clone(), 1));
            let blobs = rig.blobs.clone();
            rig.runtime.spawn(async move {
                let mut writer = blobs.begin(None).unwrap();
                for piece in content.chunks(10_000) {
                    writer.write(content.slice_ref(piece)).await.unwrap();
                    tokio::task::yield_now().await;
                }
                writer.finish().await.unwrap()
            })
        })
        .collect();
    for upload in uploads {
        let stored = rig.runtime.block_on(upload).unwrap();
        rig.adopt(stored).unwrap();
    }
    rig.check(&model);
}
