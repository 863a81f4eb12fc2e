//! The protocols of other people's clients, as these speak them.

use crate::support::{TestServer, file_path};

/// More than 16 ranges were answered with 416, so that differential updaters, which ask for up to a thousand blocks at
/// once, failed or downloaded everything. They count on the parts in the order that they asked for, unmerged, and with
/// nothing before the first boundary.
#[test]
fn a_thousand_ranges_come_in_the_order_asked() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let content: Vec<u8> = (0..400_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    omni.publish("omni/kit", "stable/1.0.0", "any/app", content.clone());
    for (count, step) in [(20_usize, 7_usize), (150, 900), (1024, 381)] {
        // Neighbours too, and some of them backwards.
        let mut ranges: Vec<(usize, usize)> = (0..count).map(|n| (n * step, n * step + step / 2)).collect();
        ranges[1] = (ranges[0].1 + 1, ranges[1].1);
        ranges.swap(5, 9);
        let header: Vec<String> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        let path = file_path("omni/kit", "stable/1.0.0", "any/app");
        let answer = server.anonymous().get(&path).header("range", &format!("bytes={}", header.join(","))).is(206);
        let boundary =
            answer.header("content-type").strip_prefix("multipart/byteranges; boundary=").unwrap().to_owned();
        let mut expected = Vec::new();
        for (first, last) in &ranges {
            let start = if expected.is_empty() { "" } else { "\r\n" };
            let head = format!(
                "{start}--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {first}-{last}/400000\r\n\r\n"
            );
            expected.extend_from_slice(head.as_bytes());
            expected.extend_from_slice(&content[*first..=*last]);
        }
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert!(answer.body == expected, "{count} ranges");
    }
}
