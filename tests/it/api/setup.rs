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
    for (field, value) in [("name", "Omni"), ("password", "short")] {
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

#[test]
fn the_form_does_without_script() {
    let server = TestServer::with().empty().start();
    let (anonymous, token) = (server.anonymous(), token(&server));
    let page = anonymous.get(&format!("/setup?token={token}")).is(200);
    assert!(page.text().contains(&format!("value=\"{token}\"")));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(page.header("cache-control"), "no-store");
    let hostile = anonymous.get("/setup?token=%22%3E%3Cscript%3E").is(200).text();
    assert!(!hostile.contains("<script>") && hostile.contains("&quot;&gt;&lt;script&gt;"));
    let submit = |form: String| {
        let kind = "application/x-www-form-urlencoded";
        anonymous.post("/setup").header("content-type", kind).header("origin", &server.origin()).body(form)
    };
    let again = submit(format!("token={token}&name=omni&password=short")).is(422).text();
    assert!(again.contains("a password has at least 10 characters") && again.contains(&token));
    let made = submit(format!("token={token}&name=+omni+&password=correct+horse%21")).is(303);
    assert_eq!(made.header("location"), "/");
    assert!(made.header("set-cookie").starts_with("packhouse_session="));
    let sign_in = json!({ "name": "omni", "password": "correct horse!" });
    anonymous.post("/api/v1/session").json(&sign_in).is(200);
    assert!(anonymous.get("/setup").is(200).text().contains("set up already"));
}
