//! The first account.

use serde_json::json;

use crate::support::TestServer;

fn token(server: &TestServer) -> String {
    let url = server.setup_url().expect("nobody is there").to_owned();
    assert!(url.starts_with(&format!("{}/setup?token=", server.origin())), "{url}");
    url.split_once("token=").unwrap().1.to_owned()
}

#[test]
fn it_is_made_once_with_the_printed_token() {
    let mut server = TestServer::with().empty().start();
    let anonymous = server.anonymous();
    let (first, body) =
        (token(&server), |token: &str| json!({ "token": token, "name": "omni", "password": "0123456789" }));
    server.stop();
    server.restart();
    let token = token(&server);
    assert_ne!(first, token, "each start has its own");
    anonymous.post("/api/v1/setup").json(&body(&first)).problem(403, "the server prints the valid one");
    for (field, value) in [("name", "Omni"), ("name", "admin"), ("password", "short")] {
        let mut wrong = body(&token);
        wrong[field] = value.into();
        assert_eq!(anonymous.post("/api/v1/setup").json(&wrong).problem(422, "")["field"], field);
    }
    let foreign = anonymous.post("/api/v1/setup").header("origin", "http://evil.example");
    foreign.json(&body(&token)).problem(403, "this site's own pages");
    let answer = anonymous.post("/api/v1/setup").json(&body(&token)).is(201);
    assert_eq!(answer.json(), json!({ "user": { "name": "omni", "admin": true } }));
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("packhouse_session=") && cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"));
    assert!(!cookie.contains("Secure"), "this is not HTTPS");
    let me = anonymous.get("/api/v1/session").header("cookie", cookie.split(';').next().unwrap()).is(200).json();
    assert_eq!(me["user"]["name"], "omni");
    anonymous.post("/api/v1/setup").json(&body(&token)).problem(403, "set up already");
    server.stop();
    server.restart();
    assert_eq!(server.setup_url(), None, "there is nothing to set up any more");
    assert!(!server.settled_log().contains(&token), "the token is not logged");
}

#[test]
fn two_at_once_make_one_account() {
    let server = TestServer::with().empty().start();
    let (anonymous, token) = (server.anonymous(), token(&server));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let set_up = |name: &'static str| {
            let body = json!({ "token": token, "name": name, "password": "0123456789" });
            let request = anonymous.post("/api/v1/setup").json(&body);
            scope.spawn(move || request.send().status)
        };
        let both = [set_up("omni"), set_up("uma")];
        both.map(|one| one.join().unwrap()).into()
    });
    assert!(statuses.contains(&201) && statuses.contains(&403), "{statuses:?}");
}
