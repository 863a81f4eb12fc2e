//! Finding packages by words, and the other orders of their list.

use serde_json::json;

use super::each;
use crate::support::{Client, TestServer, file_path};

fn found(client: &Client, query: &str) -> Vec<String> {
    each(&client.get(&format!("/api/v1/packages?{query}")).is(200).json(), "full_name")
}

/// A package with a release whose manifest has a title and keywords.
fn publish(client: &Client, name: &str, visibility: &str, title: &str, keywords: &[&str]) {
    client.make_package(name, visibility);
    client.publish(&format!("omni/{name}"), "stable/1.0.0", "any/a.zip", name.as_bytes());
    let manifest = json!({ "package": { "title": title, "keywords": keywords, "icon": "icon.png" } });
    let file = file_path(&format!("omni/{name}"), "stable/1.0.0", "any/a.zip");
    client.put(&format!("{file}/manifest")).json(&manifest).is(200);
}

#[test]
fn packages_are_found_by_what_they_are() {
    let mut server = TestServer::start();
    let (omni, anonymous) = (server.omni(), server.anonymous());
    publish(&omni, "physics", "public", "Rigid Bodies", &["collision", "engine"]);
    publish(&omni, "kit.physics-ui", "public", "Panels", &[]);
    publish(&omni, "secret.physics", "private", "Engine of its own", &[]);
    omni.patch("/api/v1/packages/omni/kit.physics-ui").json(&json!({ "description": "# The *engine* room" })).is(200);
    let package = anonymous.get("/api/v1/packages/omni/physics").is(200).json();
    assert_eq!(
        (&package["title"], &package["icon"], &package["summary"]),
        (&json!("Rigid Bodies"), &json!("icon.png"), &json!("About physics."))
    );
    let check = |server: &TestServer| {
        assert_eq!(found(&anonymous, "search=PHYSICS"), ["omni.physics", "omni.kit.physics-ui"]);
        assert_eq!(found(&omni, "search=physics").len(), 3);
        assert_eq!(found(&server.user("root"), "search=physics").len(), 3);
        assert_eq!(found(&server.user("uma"), "search=physics").len(), 2);
        assert_eq!(found(&anonymous, "search=rigid"), ["omni.physics"]);
        assert_eq!(found(&anonymous, "search=engine"), ["omni.physics", "omni.kit.physics-ui"]);
        assert_eq!(found(&omni, "search=engine"), ["omni.secret.physics", "omni.physics", "omni.kit.physics-ui"]);
        assert_eq!(found(&anonymous, "search=engine+collision"), ["omni.physics"]);
        let list = anonymous.get("/api/v1/search?search=physics").is(200).json();
        assert_eq!(each(&list, "full_name"), ["omni.physics", "omni.kit.physics-ui"]);
    };
    check(&server);
    // It is the same after a start as before.
    server.stop();
    server.restart();
    check(&server);
    let first = anonymous.get("/api/v1/packages?search=physics&limit=1").is(200).json();
    let next = format!("search=physics&limit=1&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(found(&anonymous, &next), ["omni.kit.physics-ui"]);
    anonymous.get("/api/v1/packages?search=physics&cursor=x").problem(422, "what `next` of the page before said");
    omni.patch("/api/v1/packages/omni/secret.physics").json(&json!({ "visibility": "public" })).is(200);
    assert_eq!(found(&anonymous, "search=secret"), ["omni.secret.physics"]);
    omni.delete("/api/v1/packages/omni/secret.physics").is(204);
    assert_eq!(found(&omni, "search=secret"), [""; 0]);
}

#[test]
fn lists_are_in_the_order_that_is_asked_for() {
    let server = TestServer::start();
    let (omni, uma, mara) = (server.omni(), server.user("uma"), server.user("mara"));
    omni.make_package("Zebra", "public");
    omni.make_package("ant", "private");
    uma.make_package("bee", "public");
    uma.make_package("hidden", "private");
    omni.put("/api/v1/packages/omni/ant/members/mara").json(&json!({ "role": "reader" })).is(201);
    mara.make_package("own", "public");
    let anonymous = server.anonymous();
    assert_eq!(found(&anonymous, "sort=changed"), ["mara.own", "uma.bee", "omni.Zebra"]);
    assert_eq!(found(&anonymous, "sort=name"), ["mara.own", "omni.Zebra", "uma.bee"]);
    assert_eq!(found(&mara, "role=member"), ["mara.own", "omni.ant"]);
    assert_eq!(found(&mara, "role=member&owner=omni"), ["omni.ant"]);
    assert_eq!(found(&mara, "role=member&search=an"), ["omni.ant"]);
    assert_eq!(found(&mara, "role=none"), ["uma.bee", "omni.Zebra"]);
    assert_eq!(found(&mara, "role=none&sort=name"), ["omni.Zebra", "uma.bee"]);
    assert_eq!(found(&mara, "role=none&search=e&owner=uma"), ["uma.bee"]);
    assert_eq!(found(&anonymous, "role=none"), ["mara.own", "uma.bee", "omni.Zebra"]);
    assert_eq!(found(&omni, "owner=omni&sort=name"), ["omni.ant", "omni.Zebra"]);
    for query in [
        "sort=name",
        "sort=changed",
        "role=none&sort=name",
        "role=none",
        "owner=omni&sort=name",
        "owner=omni&sort=changed",
    ] {
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = omni.get(&format!("/api/v1/packages?{query}&limit=1{cursor}")).is(200).json();
            paged.extend(each(&page, "full_name"));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, found(&omni, query), "{query}");
        omni.get(&format!("/api/v1/packages?{query}&cursor=!")).problem(422, "what `next` of the page before said");
    }
    anonymous.get("/api/v1/packages?role=member").problem(401, "sign in");
    anonymous.get("/api/v1/packages?role=owner").problem(422, "role is member or none");
    anonymous.get("/api/v1/packages?view=short").problem(422, "view is full or brief");
    anonymous.get("/api/v1/packages?sort=size").problem(422, "sort is changed, name or downloads");
}

#[test]
fn the_most_downloaded_come_first() {
    let mut server = TestServer::start();
    let (omni, uma) = (server.omni(), server.user("uma"));
    let anonymous = server.anonymous();
    for (client, owner, name, visibility, downloads) in [
        (&omni, "omni", "Some", "public", 2),
        (&uma, "uma", "most", "public", 3),
        (&omni, "omni", "hidden", "private", 4),
        (&uma, "uma", "as-many", "public", 2),
        (&uma, "uma", "no-b", "public", 0),
        (&omni, "omni", "no-A", "public", 0),
        (&omni, "omni", "gone", "public", 1),
    ] {
        client.make_package(name, visibility);
        client.publish(&format!("{owner}/{name}"), "stable/1.0.0", "any/a.bin", "bytes");
        for _ in 0..downloads {
            client.get(&file_path(&format!("{owner}/{name}"), "stable/1.0.0", "any/a.bin")).is(200);
        }
    }
    // What was counted is written when the server stops.
    server.stop();
    server.restart();
    omni.delete("/api/v1/packages/omni/gone").is(204);
    let by = "sort=downloads";
    let all = ["uma.most", "omni.Some", "uma.as-many", "omni.no-A", "uma.no-b"];
    assert_eq!(found(&anonymous, by), all);
    assert_eq!(found(&omni, by)[0], "omni.hidden");
    assert_eq!(found(&omni, "owner=omni&sort=downloads"), ["omni.hidden", "omni.Some", "omni.no-A"]);
    assert_eq!(found(&uma, "role=member&sort=downloads"), ["uma.most", "uma.as-many", "uma.no-b"]);
    for (client, query) in [(&anonymous, by), (&omni, by), (&omni, "owner=omni&sort=downloads")] {
        let (mut paged, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = client.get(&format!("/api/v1/packages?{query}&limit=1{cursor}")).is(200).json();
            paged.extend(each(&page, "full_name"));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, found(client, query), "{query}");
    }
    for wrong in ["!", "x-omni.Some", "2", "2-x"] {
        let query = format!("/api/v1/packages?{by}&cursor={wrong}");
        anonymous.get(&query).problem(422, "what `next` of the page before said");
    }
    // Where the last of a page is hidden meanwhile, those with as many downloads come again rather than never.
    let rest = format!("{by}&cursor=2-omni.Some");
    assert_eq!(found(&anonymous, &rest), all[2..]);
    omni.patch("/api/v1/packages/omni/Some").json(&json!({ "visibility": "private" })).is(200);
    assert_eq!(found(&anonymous, &rest), all[2..]);
}
