//! The protocols of other people's clients, as these speak them.

use crate::support::{Scope, TestServer, file_path};

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

/// `Upload-Concat`, by which tus-js-client sends a file in parallel parts, was passed over: half a file became an active
/// release that nobody could mend. The address of an upload was relative, which some clients refuse.
#[test]
fn a_part_of_a_resumable_upload_is_not_taken_for_the_file() {
    let server = TestServer::start();
    server.omni().make_package("kit", "public");
    let ci = server.token("omni", Scope::Publish);
    let metadata = "package b21uaS5raXQ=,channel c3RhYmxl,version MS4w,platform YW55,filename YQ==,create YWN0aXZl";
    let begin = || {
        let begun = ci.post("/api/v1/uploads").header("tus-resumable", "1.0.0").header("upload-length", "5");
        begun.header("upload-metadata", metadata)
    };
    begin().header("upload-concat", "partial").problem(400, "upload-concat is not understood");
    begin().header("upload-defer-length", "1").problem(400, "upload-defer-length is not understood");
    assert_eq!(ci.get("/api/v1/uploads").is(200).json()["items"], serde_json::json!([]));
    let begun = begin().is(201);
    assert!(begun.header("location").starts_with(&format!("{}/api/v1/uploads/", server.origin())), "{begun}");
}
