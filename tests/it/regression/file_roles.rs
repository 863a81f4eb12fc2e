//! Which file of a release is the archive of a platform, and which file a platform gets.

use serde_json::{Value, json};

use crate::support::{Cli, Client, Part, Scope, TestServer, file_path};

/// Uploads a file of a draft of `omni.kit`.
#[track_caller]
fn draft(client: &Client, version: &str, file: &str) {
    let path = file_path("omni/kit", &format!("stable/{version}"), file);
    client.put(&format!("{path}?create=inactive")).body(file).is(201);
}

fn release(version: &str) -> String {
    format!("/api/v1/packages/omni/kit/releases/stable/{version}")
}

#[track_caller]
fn activate(client: &Client, version: &str) {
    client.patch(&release(version)).json(&json!({ "active": true })).is(200);
}

/// The files of a release with their roles.
#[track_caller]
fn roles(client: &Client, version: &str) -> Vec<String> {
    let release = client.get(&release(version)).is(200).json();
    let text = |file: &Value, field: &str| file[field].as_str().unwrap().to_owned();
    release["files"].as_array().unwrap().iter().map(|f| text(f, "display_name") + " " + &text(f, "role")).collect()
}

/// What a platform is offered: version and file name, by the update check, by the link to the newest version, by the
/// requirements and by the search, which must agree.
#[track_caller]
fn offered(server: &TestServer, platform: &str) -> Option<(String, String)> {
    let anonymous = server.anonymous();
    let update = anonymous.get(&format!("/api/v1/updates?id=omni.kit&platform={platform}")).is(200).json();
    let link = anonymous.get(&format!("/download/omni/kit/stable/latest/{platform}")).send();
    let needs = anonymous.get(&format!("/api/v1/requirements?id=omni.kit&platform={platform}")).is(200).json();
    let found = anonymous.get(&format!("/api/v1/search?search=kit&platform={platform}")).is(200).json();
    let offers = anonymous.get("/api/v1/packages/omni/kit/offers").is(200).json();
    let offers = offers["items"].as_array().unwrap();
    let own = offers.iter().find(|offer| offer["platform"] == platform);
    let others = offers.iter().find(|offer| offer["platform"].is_null());
    let offer = own.or_else(|| others.filter(|_| platform != "any"));
    if update["isNewer"] == false {
        assert_eq!(offer, None);
        assert_eq!(link.status, 404, "{link}");
        assert_eq!((&needs["items"], &found["items"]), (&json!([]), &json!([])));
        return None;
    }
    let (version, address) = (update["version"].as_str().unwrap(), update["filename"].as_str().unwrap());
    let link = link.is(302);
    assert!(address.ends_with(link.header("location")), "{address}: {link}");
    let offer = offer.unwrap();
    assert_eq!((&offer["version"], &offer["file"]["url"]), (&update["version"], &update["filename"]));
    assert_eq!(needs["items"][0]["version"], version);
    assert_eq!(found["items"][0]["version"], version);
    Some((version.to_owned(), address.rsplit('/').next().unwrap().to_owned()))
}

fn some(version: &str, file: &str) -> Option<(String, String)> {
    Some((version.to_owned(), file.to_owned()))
}

/// The lines of `omni.kit` in the index: ids and names of archives.
#[track_caller]
fn lines(server: &TestServer) -> Vec<String> {
    let text = server.anonymous().get("/v2/packages/omni.kit.gz").is(200).gunzip();
    let line = |line: &str| {
        let (id, json) = line.split_once(' ').unwrap();
        let json: Value = serde_json::from_str(json).unwrap();
        let path = json["package"]["archivePath"].as_str().unwrap();
        format!("{id} {}", path.rsplit('/').next().unwrap())
    };
    text.lines().map(line).collect()
}

/// Two uploads at once, an archive and its signature: where the signature arrived first, it became the archive, and the
/// update check and the page's button offered its 100 bytes as the program.
#[test]
fn a_signature_is_no_archive_whatever_arrives_first() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    draft(&omni, "1.0.0", "linux-x64/app.tar.gz.sig");
    draft(&omni, "1.0.0", "linux-x64/app.tar.gz");
    draft(&omni, "1.0.0", "linux-x64/app-docs.tar.gz");
    activate(&omni, "1.0.0");
    assert_eq!(
        roles(&omni, "1.0.0"),
        ["app.tar.gz.sig attachment", "app.tar.gz archive", "app-docs.tar.gz attachment"]
    );
    assert_eq!(offered(&server, "linux-x64"), some("1.0.0", "app.tar.gz"));
    assert_eq!(lines(&server), ["1.0.0+linux-x64 app.tar.gz"]);
    // What stands beside an archive stays within reach.
    let anonymous = server.anonymous();
    anonymous.get("/v2/archives/omni.kit/omni.kit-1.0.0+linux-x64/app.tar.gz.sig").is(200);
    anonymous.get("/download/omni/kit/stable/latest/linux-x64/app.tar.gz.sig").is(302);
}

/// A forgotten `--platform` published `SHA256SUMS` for `any`: Linux was offered the list as its newest version, while
/// the link to the newest version led to the program.
#[test]
fn a_list_of_checksums_is_no_release() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "linux-x64/app.tar.gz", "1");
    let put = omni.publish("omni/kit", "stable/1.1.0", "any/SHA256SUMS", "2").json();
    assert!(put["warnings"][0].as_str().unwrap().contains("has no archive"), "{put}");
    assert_eq!(offered(&server, "linux-x64"), some("1.0.0", "app.tar.gz"));
    assert_eq!(offered(&server, "any"), None);
    assert_eq!(lines(&server), ["1.0.0+linux-x64 app.tar.gz"]);
    let package = omni.get("/api/v1/packages/omni/kit").is(200).json();
    assert_eq!(package["latest"], json!({ "stable": "1.0.0" }));
    omni.publish("omni/kit", "stable/1.1.0", "linux-x64/app.tar.gz", "3");
    assert_eq!(offered(&server, "linux-x64"), some("1.1.0", "app.tar.gz"));
}

/// Update checks gave `any` archives to platforms that the release had others for, the link to the newest version never
/// gave them, and the pages did one or the other.
#[test]
fn an_archive_for_any_platform_counts_only_where_there_is_none_for_a_specific_one() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/all.zip", "1");
    omni.publish("omni/kit", "stable/2.0.0", "any/docs.zip", "2");
    omni.publish("omni/kit", "stable/2.0.0", "linux-x64/app.zip", "3");
    assert_eq!(offered(&server, "linux-x64"), some("2.0.0", "app.zip"));
    assert_eq!(offered(&server, "windows-x64"), some("1.0.0", "all.zip"));
    assert_eq!(offered(&server, "any"), some("2.0.0", "docs.zip"));
    // A signature for a platform is no archive for it.
    omni.publish("omni/kit", "stable/3.0.0", "any/all.zip", "4");
    omni.publish("omni/kit", "stable/3.0.0", "linux-x64/all.zip.sig", "5");
    for platform in ["linux-x64", "windows-x64", "any"] {
        assert_eq!(offered(&server, platform), some("3.0.0", "all.zip"), "{platform}");
    }
    let anonymous = server.anonymous();
    let exact = anonymous.get("/download/omni/kit/stable/2.0.0/windows-x64").problem(404, "no archive for windows-x64");
    assert_eq!(exact["status"], 404);
    anonymous.get("/download/omni/kit/stable/3.0.0/windows-x64").is(302);
    anonymous.get("/download/omni/kit/stable/latest/macos-x64/all.zip").is(302);
}

/// Nobody could say which file of a release is the program: a certificate bundle published alone was one, and a second
/// upload could never become it.
#[test]
fn a_role_can_be_chosen_while_the_release_is_a_draft() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let file = |name: &str| file_path("omni/kit", "stable/1.0.0", &format!("any/{name}"));
    omni.put(&format!("{}?create=inactive&role=archive", file("roots.pem"))).body("1").is(201);
    omni.put(&file("tool.zip")).body("2").is(201);
    assert_eq!(roles(&omni, "1.0.0"), ["roots.pem archive", "tool.zip attachment"]);
    omni.put(&format!("{}?role=program", file("tool.zip"))).body("2").problem(422, "archive or attachment");
    // The same bytes again, as something else.
    let put = omni.put(&format!("{}?role=archive", file("tool.zip"))).body("2").is(200).json();
    assert_eq!(put["role"], "archive");
    assert_eq!(roles(&omni, "1.0.0"), ["roots.pem attachment", "tool.zip archive"]);
    let patch = |name: &str, role: Value| omni.patch(&file(name)).json(&json!({ "role": role }));
    assert_eq!(patch("roots.pem", json!("archive")).is(200).json()["role"], "archive");
    assert_eq!(roles(&omni, "1.0.0"), ["roots.pem archive", "tool.zip attachment"]);
    assert_eq!(patch("roots.pem", Value::Null).is(200).json()["role"], "attachment");
    assert_eq!(roles(&omni, "1.0.0"), ["roots.pem attachment", "tool.zip archive"]);
    patch("roots.pem", json!("program")).problem(422, "archive or attachment");
    omni.patch(&file("roots.pem")).json(&json!({})).problem(422, "archive or attachment");
    patch("nothing.zip", json!("archive")).is(404);
    server.anonymous().patch(&file("roots.pem")).json(&json!({ "role": "archive" })).is(401);
    assert_eq!(patch("tool.zip", json!("attachment")).is(200).json()["role"], "attachment");
    patch("roots.pem", json!("archive")).is(200);

    activate(&omni, "1.0.0");
    assert_eq!(offered(&server, "any"), some("1.0.0", "roots.pem"));
    let audit = omni.get("/api/v1/packages/omni/kit/audit").is(200).json();
    let entries = audit["items"].as_array().unwrap();
    assert!(entries.iter().any(|entry| entry["action"] == "file_role_set"), "{audit}");
    // What is published stays what it is.
    patch("tool.zip", json!("archive")).problem(409, "published with tool.zip as an attachment");
    patch("roots.pem", json!("attachment")).problem(409, "published with roots.pem as the archive");
    patch("roots.pem", json!("archive")).is(200);
    omni.put(&format!("{}?role=archive", file("tool.zip"))).body("2").problem(409, "an attachment");
    omni.put(&format!("{}?role=archive", file("new.zip"))).body("3").problem(409, "the archive roots.pem");
    omni.put(&format!("{}?role=attachment", file("new.zip"))).body("3").is(201);
    omni.put(&format!("{}?role=archive", file("roots.pem"))).body("1").is(200);
    assert_eq!(roles(&omni, "1.0.0"), ["roots.pem archive", "tool.zip attachment", "new.zip attachment"]);
}

/// Where the archive of a draft is deleted, the next file takes its place; of a published release, no file that was an
/// attachment may come to be offered under the same package id.
#[test]
fn the_archive_of_a_published_release_is_never_replaced_by_an_attachment() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    for version in ["1.0.0", "2.0.0"] {
        draft(&omni, version, "any/app.zip");
        draft(&omni, version, "any/symbols.zip");
    }
    activate(&omni, "1.0.0");
    let file = |version: &str| file_path("omni/kit", &format!("stable/{version}"), "any/app.zip");
    for version in ["1.0.0", "2.0.0"] {
        omni.delete(&file(version)).is(204);
    }
    assert_eq!(roles(&omni, "1.0.0"), ["symbols.zip attachment"]);
    assert_eq!(roles(&omni, "2.0.0"), ["symbols.zip archive"]);
    assert_eq!(offered(&server, "any"), None);
    omni.put(&file("1.0.0")).body("any/app.zip").is(201);
    assert_eq!(offered(&server, "any"), some("1.0.0", "app.zip"));
}

/// `POST /registry/publish` publishes an archive by its very name, be it called like a sidecar.
#[test]
fn an_archive_that_is_published_as_one_is_one() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    draft(&omni, "1.0.0", "any/first.zip.sig");
    let parts = [Part::field("package_id", "omni.kit-1.0.0"), Part::file("archive", "roots.pem", "roots")];
    omni.post("/registry/publish").form(&parts).is(201);
    assert_eq!(roles(&omni, "1.0.0"), ["first.zip.sig attachment", "roots.pem archive"]);
    assert_eq!(lines(&server), ["1.0.0 roots.pem"]);
    omni.post("/registry/publish").form(&parts).is(200);
}

/// `packhouse publish` could not say that a file is no program, and an import of an archive called like a sidecar would
/// have made an attachment of it.
#[test]
fn the_command_line_and_an_import_say_the_role() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let folder = tempfile::tempdir().unwrap();
    let publish = |name: &str, role: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, name).unwrap();
        let (url, path) = (server.origin(), path.to_str().unwrap().to_owned());
        let words = ["publish", &url, &path, "--package", "omni.kit", "--version", "1.0.0", "--draft"];
        Cli::new(&words).and(role).token(server.secret("omni", Scope::Publish)).exits(0);
    };
    publish("notes.zip", &["--role", "attachment"]);
    publish("tool.zip", &[]);
    publish("roots.pem", &["--role", "archive"]);
    assert_eq!(roles(&omni, "1.0.0"), ["notes.zip attachment", "tool.zip attachment", "roots.pem archive"]);
    // The same file again, as something else.
    publish("tool.zip", &["--role", "archive"]);
    publish("roots.pem", &["--role", "archive"]);
    assert_eq!(roles(&omni, "1.0.0"), ["notes.zip attachment", "tool.zip attachment", "roots.pem archive"]);
    activate(&omni, "1.0.0");

    let other = TestServer::start();
    let (from, to) = (server.origin(), other.origin());
    for _ in 0..2 {
        let words = ["import", &from, "--into", "omni", "--url", &to];
        Cli::new(&words).token(other.secret("omni", Scope::Admin)).exits(0);
        assert_eq!(roles(&other.omni(), "1.0.0"), ["roots.pem archive"]);
        assert_eq!(offered(&other, "any"), some("1.0.0", "roots.pem"));
    }
}

/// A release as the API lists it.
struct Listed {
    version: String,
    /// Platform and name of each archive.
    archives: Vec<(String, String)>,
}

/// The rule, said slowly, over all releases with the highest version first.
fn slow(releases: &[Listed], platform: &str) -> Option<(String, String)> {
    for release in releases {
        let of = |wanted: &str| release.archives.iter().find(|(platform, _)| platform == wanted);
        let is_specific = release.archives.iter().any(|(platform, _)| platform != "any");
        let found = match of(platform) {
            Some(own) => Some(own),
            None if is_specific => None,
            None => of("any"),
        };
        if let Some((_, name)) = found {
            return some(&release.version, name);
        }
    }
    None
}

/// The update check, the link to the newest version, the requirements, the search and the offers each had an own idea of
/// which file a platform gets. They must agree with each other and with the rule, whatever is published in which order.
#[test]
fn every_way_to_a_file_of_a_platform_leads_to_the_same() {
    let server = TestServer::start();
    let omni = server.omni();
    omni.make_package("kit", "public");
    let names = ["app.zip", "app.zip.sig", "SHA256SUMS", "docs.zip", "roots.pem"];
    let platforms = ["any", "linux-x64", "windows-x64"];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as usize % below
    };
    for _ in 0..60 {
        let version = format!("1.{}.0", random(8));
        let (platform, name) = (platforms[random(3)], names[random(5)]);
        let role = ["", "", "", "&role=archive", "&role=attachment"][random(5)];
        let path = file_path("omni/kit", &format!("stable/{version}"), &format!("{platform}/{name}"));
        // What a published release refuses leaves everything as it is.
        let status = omni.put(&format!("{path}?create=inactive{role}")).body(path.as_str()).send().status;
        assert!([200, 201, 409].contains(&status), "{status}");
        match random(4) {
            0 => drop(omni.patch(&release(&version)).json(&json!({ "active": true })).is(200)),
            1 => drop(omni.delete(&path).send()),
            _ => {}
        }
        let page = omni.get("/api/v1/packages/omni/kit/releases").is(200).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut releases = Vec::new();
        for one in page["items"].as_array().unwrap().iter().filter(|one| one["active"] == true) {
            let archives = one["files"].as_array().unwrap().iter().filter(|file| file["role"] == "archive");
            let archives: Vec<_> = archives.map(|f| (text(&f["platform"]), text(&f["display_name"]))).collect();
            let mut platforms: Vec<_> = archives.iter().map(|(platform, _)| platform).collect();
            platforms.sort_unstable();
            platforms.dedup();
            assert_eq!(platforms.len(), archives.len(), "a platform has one archive: {one}");
            releases.push(Listed { version: text(&one["version"]), archives });
        }
        for platform in platforms.into_iter().chain(["macos-arm64"]) {
            assert_eq!(offered(&server, platform), slow(&releases, platform), "{platform} {page}");
        }
    }
}
