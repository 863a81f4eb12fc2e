//! Changed step by step equals built from nothing, and costs only what changed.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;
use crate::index::segments::Members;
use crate::index::segments::balance::{Node, size_max};

/// JSON members in small segments and groups, so that short tests meet many of them.
struct SmallMembers;

impl Layout for SmallMembers {
    const SEPARATOR: &'static str = ",";
    const SEGMENT_BYTES: usize = 256;
    const GROUP_SEGMENTS: usize = 8;
}

impl Keyed for SmallMembers {
    type Key = str;

    fn compare(key: &str, entry: &str) -> Ordering {
        Members::compare(key, entry)
    }
}

/// Lines that begin with a number, which orders them.
struct Lines;

impl Layout for Lines {
    const SEPARATOR: &'static str = "";
    const SEGMENT_BYTES: usize = 256;
    const GROUP_SEGMENTS: usize = 8;
}

impl Keyed for Lines {
    type Key = u32;

    fn compare(key: &u32, entry: &str) -> Ordering {
        key.cmp(&entry.split(' ').next().unwrap().parse().unwrap())
    }
}

/// The largest entry that is never in the way of good segments.
const EASY_ENTRY_BYTES: usize = <Segment<Lines> as Node>::SIZE_MIN;

const HEAD: &str = r#"{"files":{"#;
const TAIL: &str = r#"},"serial":12}"#;

fn bytes(file: &Rendered) -> Vec<u8> {
    let bytes = file.parts().concat();
    assert_eq!(bytes.len() as u64, file.len_bytes());
    bytes
}

/// The text of one gzip member.
fn decompressed(member: &[u8]) -> String {
    let mut decoder = flate2::bufread::GzDecoder::new(member);
    let mut text = String::new();
    decoder.read_to_string(&mut text).unwrap();
    assert!(decoder.into_inner().is_empty(), "bytes after the first member");
    text
}

fn segments<L: Layout>(file: &SegmentedText<L>) -> Vec<*const Segment<L>> {
    file.segments().map(std::ptr::from_ref).collect()
}

/// How many segments of `new` are not in `old`.
fn fresh_count<L: Layout>(old: &SegmentedText<L>, new: &SegmentedText<L>) -> usize {
    let old: HashSet<_> = segments(old).into_iter().collect();
    segments(new).iter().filter(|segment| !old.contains(*segment)).count()
}

/// Everything that must hold for a file that has these entries.
fn check<L: Keyed<Key: Sized + Clone>>(file: &SegmentedText<L>, model: &BTreeMap<L::Key, String>) {
    check_by(file, model.iter().map(|(key, entry)| (key, entry.as_str())).collect());
}

fn check_by<L: Keyed>(file: &SegmentedText<L>, model: Vec<(&L::Key, &str)>) {
    let entries: Vec<&str> = model.iter().map(|(_, entry)| *entry).collect();
    let text = [&file.head, &*entries.join(L::SEPARATOR), &file.tail].concat();
    assert_eq!(file.texts().collect::<String>(), text);
    assert_eq!(decompressed(&bytes(&file.render())), text);
    assert_eq!(file.crc32(), Crc32::of(text.as_bytes()));
    assert_eq!(file.text_len_bytes(), text.len() as u64);
    assert_eq!(file.entry_count(), model.len());
    assert_eq!(file.entries().collect::<Vec<_>>(), entries);
    for (key, entry) in model {
        assert_eq!(file.get(key), Some(entry));
    }
    check_sizes(file);
}

fn check_sizes<L: Layout>(file: &SegmentedText<L>) {
    let group_sizes: Vec<_> = file.groups.iter().map(|group| group.segments().len()).collect();
    assert!(group_sizes.iter().all(|size| *size <= size_max(L::GROUP_SEGMENTS)), "{group_sizes:?}");
    if group_sizes.len() > 1 {
        assert!(group_sizes.iter().all(|size| *size >= Group::<L>::SIZE_MIN), "{group_sizes:?}");
    }
    let alone = file.is_whole();
    for segment in file.segments() {
        let size = segment.text().len();
        assert!(segment.entry_count() > 0);
        assert!(alone || size >= Segment::<L>::SIZE_MIN, "a small segment of {size} bytes");
        let easy = segment.entries().all(|entry| entry.len() <= Segment::<L>::SIZE_MIN);
        assert!(!easy || size <= size_max(L::SEGMENT_BYTES), "a large segment of {size} bytes");
    }
}

/// Batches of changes of numbered entries: the number, and the length of the new value or none.
fn batches(value_len_max: usize) -> impl Strategy<Value = Vec<Vec<(u32, Option<usize>)>>> {
    let value = prop_oneof![2 => (0..value_len_max).prop_map(Some), 1 => Just(None)];
    let few = prop::collection::vec((0..600_u32, value.clone()), 0..4);
    let many = prop::collection::vec((0..600_u32, value), 0..400);
    let range = (0..600_u32, 0..600_u32).prop_map(|(from, to)| (from..to).map(|key| (key, None)).collect());
    prop::collection::vec(prop_oneof![4 => few, 2 => many, 1 => range], 1..12)
}

fn member(key: u32, value_len: usize) -> (String, String) {
    let name = format!("omni.p{key:03}");
    let entry = Members::entry(&name, &format!("\"{}\"", "v".repeat(value_len)));
    (name, entry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn members_step_by_step_equal_members_from_nothing(batches in batches(EASY_ENTRY_BYTES - 14)) {
        let mut file = SegmentedText::<SmallMembers>::new(HEAD, TAIL);
        let mut model = BTreeMap::new();
        for (step, batch) in batches.into_iter().enumerate() {
            let mut changes = Vec::new();
            for (key, value_len) in batch {
                let (name, entry) = member(key, value_len.unwrap_or(0));
                changes.push((name.clone(), value_len.map(|_| entry.clone())));
                match value_len {
                    Some(_) => model.insert(name, entry),
                    None => model.remove(&name),
                };
            }
            let change_count = changes.len();
            let old = file;
            file = old.apply(changes);
            prop_assert!(fresh_count(&old, &file) <= 3 * change_count, "too much was made anew");
            if step % 3 == 2 {
                file = file.with_tail(&format!("}},\"serial\":{step}}}"));
            }
            check_by(&file, model.iter().map(|(name, entry)| (name.as_str(), entry.as_str())).collect());
        }
    }

    #[test]
    fn lines_of_any_size_step_by_step_equal_lines_from_nothing(batches in batches(700)) {
        let mut file = SegmentedText::<Lines>::new("", "");
        let mut model = BTreeMap::new();
        for batch in batches {
            let line = |key: u32, len: usize| format!("{key} {}\n", "é".repeat(len / 2));
            for (key, value_len) in &batch {
                match value_len {
                    Some(len) => model.insert(*key, line(*key, *len)),
                    None => model.remove(key),
                };
            }
            file = file.apply(batch.into_iter().map(|(key, len)| (key, len.map(|len| line(key, len)))));
            let text: String = model.values().map(String::as_str).collect();
            prop_assert_eq!(decompressed(&bytes(&file.render())), &*text);
            prop_assert_eq!(file.crc32(), Crc32::of(text.as_bytes()));
            prop_assert_eq!(file.entries().count(), model.len());
            prop_assert!(model.iter().all(|(key, line)| file.get(key) == Some(line)));
            check_sizes(&file);
        }
    }
}

/// A file as a big registry has it: `count` entries of about 380 bytes that compress like summaries do.
fn big(count: u32) -> (SegmentedText<Members>, String) {
    let entries: Vec<_> = (0..count).map(|at| summary(at, 1)).collect();
    let text = entries.iter().map(|(_, entry)| &**entry).collect::<Vec<_>>().join(",");
    let file = SegmentedText::new(HEAD, TAIL).apply(entries.into_iter().map(|(name, entry)| (name, Some(entry))));
    (file, [HEAD, &text, TAIL].concat())
}

fn summary(at: u32, version: u32) -> (String, String) {
    let name = format!("omni.package.n{at:06}");
    let noise = at.wrapping_mul(2_654_435_761) ^ version;
    let value = format!(
        r#"{{"package":{{"title":"Package {noise:x}","description":"{noise:032x} does {at} things","version":"{version}.0.{}","category":"tools","keywords":["a{}","b"],"icon":"icons/{noise:08x}.png","repository":"https://example.com/{noise}/{at}","authors":["Someone {}"],"package_id":"{version}.0.0","published":"2026-11-21T08:55:{:02}Z","channel":"stable"}}}}"#,
        noise % 100,
        noise % 977,
        noise % 313,
        at % 60,
    );
    (name.clone(), Members::entry(&name, &value))
}

#[test]
fn an_empty_file_is_its_head_and_tail() {
    let file = SegmentedText::<Members>::new(HEAD, TAIL);
    check_by(&file, Vec::new());
    assert_eq!(file.get("omni.bar"), None);
    let (name, entry) = summary(1, 1);
    let one = file.apply([(name.as_str(), Some(&entry))]);
    check_by(&one, vec![(&*name, &entry)]);
    check_by(&one.apply([(name.as_str(), None::<&str>)]), Vec::new());
}

#[test]
fn the_last_of_several_changes_for_a_key_counts() {
    let file = SegmentedText::<Lines>::new("", "");
    let file = file.apply([(7, Some("7 a\n")), (3, Some("3 a\n")), (7, None), (3, Some("3 b\n")), (5, None)]);
    check(&file, &BTreeMap::from([(3, "3 b\n".to_owned())]));
}

#[test]
fn what_changes_nothing_shares_everything() {
    let (file, _) = big(1_000);
    let rendered = file.render();
    let (name, entry) = summary(500, 1);
    let same = file.apply([(name.as_str(), Some(entry.as_str())), ("omni.unknown", None)]).with_tail(TAIL);
    assert!(Arc::ptr_eq(&rendered, &same.rendered().unwrap()));
    assert_eq!(fresh_count(&file, &same), 0);
    assert!(same.is(&file));

    let empty = SegmentedText::<Members>::new(HEAD, TAIL);
    assert!(empty.is(&empty.apply([("omni.unknown", None::<&str>)])));
}

proptest! {
    #[test]
    fn files_without_keys_share_what_they_begin_and_end_with(
        old in prop::collection::vec(1..40_usize, 0..300),
        at in any::<prop::sample::Index>(),
        removed in 0..20_usize,
        added in prop::collection::vec(1..40_usize, 0..20),
    ) {
        let entry = |len: &usize| "v".repeat(*len);
        let from = at.index(old.len() + 1);
        let mut new = old.clone();
        new.splice(from..old.len().min(from + removed), added.iter().copied());
        let [old, new] = [old, new].map(|lens| lens.iter().map(entry).collect::<Vec<_>>());
        let file = |lines: &[String]| SegmentedText::<SmallMembers>::of("[", lines.iter().map(String::as_str), "]");
        let (old_file, new_file) = (file(&old), file(&new));
        let shared = new_file.sharing(&old_file);
        let text = format!("[{}]", new.join(","));
        prop_assert_eq!(shared.texts().collect::<String>(), &*text);
        prop_assert_eq!(decompressed(&bytes(&shared.render())), &*text);
        prop_assert_eq!(shared.crc32(), new_file.crc32());
        prop_assert_eq!(shared.entry_count(), new.len());
        prop_assert_eq!(shared.text_len_bytes(), text.len() as u64);
        prop_assert!(fresh_count(&old_file, &shared) <= 8, "too much was made anew");
        check_sizes(&shared);
    }
}

#[test]
fn a_change_deflates_one_segment() {
    let (file, _) = big(4_000);
    let before = file.render();
    let (name, entry) = summary(2_000, 2);
    let changed = file.apply([(name, Some(entry))]);
    assert!(changed.rendered().is_none(), "rendered before it was read");
    assert_eq!(fresh_count(&file, &changed), 1);
    let after = changed.render();
    let shared = |part: &&bytes::Bytes| before.parts().iter().any(|old| old.as_ptr() == part.as_ptr());
    // The head's part is made anew each time, the tail's has another checksum.
    assert_eq!(after.parts().iter().filter(shared).count(), file.segments().count() - 1);
    assert_ne!(before.etag(), after.etag());
}

#[test]
fn what_is_left_of_a_group_joins_its_neighbours() {
    let entries: Vec<_> = (0..400).map(|key| member(key, 60)).collect();
    let file = SegmentedText::<SmallMembers>::new("{", "}");
    let file = file.apply(entries.iter().map(|(name, entry)| (name.as_str(), Some(entry))));
    assert!(file.groups.len() > 3);
    for group in file.groups.iter() {
        let gone = |name: &str| group.segments().iter().any(|segment| segment.get(name).is_some());
        let left =
            file.apply(entries.iter().filter(|(name, _)| gone(name)).skip(1).map(|(name, _)| (&**name, None::<&str>)));
        assert!(left.entry_count() < file.entry_count());
        check_sizes(&left);
    }
}

#[test]
fn removing_the_first_entry_leaves_the_other_segments() {
    let (file, text) = big(1_000);
    let (name, entry) = summary(0, 1);
    let shorter = file.apply([(name.as_str(), None::<&str>)]);
    assert_eq!(fresh_count(&file, &shorter), 1);
    assert_eq!(decompressed(&bytes(&shorter.render())), text.replacen(&format!("{entry},"), "", 1));
}

#[test]
fn many_first_readers_share_one_rendering() {
    let (file, text) = big(2_000);
    let barrier = std::sync::Barrier::new(8);
    let renderings: Vec<_> = std::thread::scope(|scope| {
        let read = || {
            barrier.wait();
            file.render()
        };
        let readers: Vec<_> = (0..8).map(|_| scope.spawn(read)).collect();
        readers.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    assert!(renderings.iter().all(|rendering| Arc::ptr_eq(rendering, &renderings[0])));
    assert_eq!(decompressed(&bytes(&renderings[0])), text);
}

#[test]
fn what_lasts_is_improved() {
    let (file, text) = big(2_000);
    assert_eq!(file.improve(100), 0, "improved what nobody read");
    let fast = file.render();
    assert_eq!(file.improve(100), 0, "improved what may change at once");

    // What changes between two rounds is left for the next.
    let (name, entry) = summary(1_000, 2);
    let changed = file.apply([(name, Some(entry))]);
    let _ = changed.render();
    let segment_count = changed.segments().count();
    assert_eq!(changed.improve(4), 4, "the bound holds");
    assert_eq!(changed.improve(100), segment_count - 5);
    assert_eq!(changed.improve(100), 1);
    assert_eq!(changed.improve(100), 0);

    // The segments are shared, so all but one are at their best in the older state too.
    assert!(Arc::ptr_eq(&file.render(), &fast));
    assert_eq!(file.improve(100), 1);
    let best = file.render();
    assert!(best.len_bytes() < fast.len_bytes());
    assert_ne!(best.etag(), fast.etag());
    assert_eq!(decompressed(&bytes(&best)), text);
    assert_eq!(decompressed(&bytes(&fast)), text);
}

#[test]
fn a_file_of_one_segment_is_improved_as_a_whole() {
    let (file, text) = big(100);
    let fast = file.render();
    assert_eq!(fast.parts().len(), 1);
    assert_eq!((file.improve(0), file.improve(1), file.improve(1), file.improve(1)), (0, 0, 1, 0));
    let best = file.render();
    assert!(best.len_bytes() < fast.len_bytes());
    assert_eq!(decompressed(&bytes(&best)), text);

    let (tiny, _) = big(3);
    let at_once = tiny.render();
    assert_eq!((tiny.improve(1), tiny.improve(1)), (0, 0));
    assert!(Arc::ptr_eq(&at_once, &tiny.render()));
}

#[test]
fn a_tag_tells_equal_texts_with_other_bytes_apart() {
    let (at_once, text) = big(1_000);
    let entries = (0..1_000).map(|at| summary(at, 1));
    let stepwise = entries
        .fold(SegmentedText::<Members>::new(HEAD, TAIL), |file, (name, entry)| file.apply([(name, Some(entry))]));
    assert_eq!(stepwise.crc32(), at_once.crc32());
    assert_ne!(bytes(&stepwise.render()), bytes(&at_once.render()), "cut alike, so this test shows nothing");
    assert_ne!(stepwise.render().etag(), at_once.render().etag());

    let (again, _) = big(1_000);
    assert_eq!(bytes(&again.render()), bytes(&at_once.render()));
    assert_eq!(again.render().etag(), at_once.render().etag());
    let prefix = format!("\"{}-{:x}-", at_once.crc32(), text.len());
    assert!(again.render().etag().starts_with(&prefix));
}

/// A big file that was read, grew, shrank and changed again and again, and its text as it should be.
fn changed_many_times() -> (SegmentedText<Members>, String) {
    let (mut file, _) = big(1_000);
    let mut kept: BTreeMap<String, String> = (0..1_000).map(|at| summary(at, 1)).collect();
    for round in 0..300_u32 {
        let changes: Vec<_> = (0..1 + round % 7)
            .map(|step| {
                let (name, entry) = summary((round * 37 + step * 101) % 1_400, 2 + round);
                (name, (round % 3 > 0).then_some(entry))
            })
            .collect();
        for (name, entry) in &changes {
            match entry {
                Some(entry) => kept.insert(name.clone(), entry.clone()),
                None => kept.remove(name),
            };
        }
        file = file.apply(changes.into_iter().collect::<BTreeMap<_, _>>());
        if round % 5 == 0 {
            // What is deflated now, some of it well, stays in the files to come.
            let _ = file.render();
            file.improve(3);
        }
    }
    let text = format!("{HEAD}{}{TAIL}", kept.into_values().collect::<Vec<_>>().join(","));
    (file, text)
}

#[test]
fn other_programs_read_it() {
    const PYTHON: &str = "import gzip, sys, zlib
data = open(sys.argv[1], 'rb').read()
whole = zlib.decompressobj(31)
text = whole.decompress(data)
assert whole.eof and not whole.unused_data
assert text == gzip.decompress(data) == zlib.decompress(data, 31)
sys.stdout.buffer.write(text)";
    const NODE: &str = "const data = require('fs').readFileSync(process.argv[1])
process.stdout.write(require('zlib').gunzipSync(data))";
    let programs: [(&str, &[&str]); 4] =
        [("gzip", &["-t", "-v"]), ("gzip", &["-d", "-c"]), ("python3", &["-c", PYTHON]), ("node", &["-e", NODE])];

    let (file, text) = changed_many_times();
    let fast = file.render();
    assert!(file.improve(100) + file.improve(100) > 1);
    assert!(fast.parts().len() > 4, "it has several segments");
    let (small, small_text) = big(4);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("registry.gz");
    for (rendered, text) in [(&fast, &text), (&file.render(), &text), (&small.render(), &small_text)] {
        std::fs::write(&path, bytes(rendered)).unwrap();
        for (program, arguments) in programs {
            let command = Command::new(program).args(arguments).arg(&path).stdin(Stdio::null()).output();
            let Ok(output) = command else {
                eprintln!("skipped: there is no {program} here");
                continue;
            };
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
            assert!(arguments[0] == "-t" || output.stdout == text.as_bytes(), "{program} read something else");
        }
    }
}
