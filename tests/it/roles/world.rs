//! The registry that the table is about: a public and a private package of `omni`'s with all kinds of members and
//! tokens, and a private one of somebody else's.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::json;

use super::table::Role;
use crate::support::{Client, Files, Scope, TestServer, file_path};

/// Stands in everything that only readers of the private package may see.
pub(super) const HIDDEN_PACKAGE: &str = "hush";
/// Stands in everything that only those who may publish may see.
pub(super) const HIDDEN_DRAFT: &str = "half-done";

/// The registry, and who is known to it.
pub(super) struct World {
    pub(super) files: Files,
    users: HashMap<&'static str, Client>,
    tokens: HashMap<Scope, Client>,
    /// Access tokens by package.
    pub(super) access: HashMap<&'static str, String>,
    private: HashMap<&'static str, String>,
    bearers: HashMap<String, Client>,
    /// The id of an API token of `omni`'s.
    pub(super) api_token_id: String,
    /// Unfinished uploads of `omni`'s by package.
    pub(super) uploads: HashMap<&'static str, String>,
    /// A token of `omni`'s that has expired.
    pub(super) expired: Client,
    /// A token of `omni`'s that was deleted.
    pub(super) revoked: Client,
    /// A token of a user that is shut out.
    pub(super) disabled: Client,
}

pub(super) static WORLD: LazyLock<World> = LazyLock::new(make);

impl World {
    pub(super) fn client(&self, role: Role, package: &str) -> &Client {
        let bearer = |tokens: &HashMap<&str, String>, of: &str| &self.bearers[&tokens[of]];
        match role {
            Role::Anonymous => &self.users["anonymous"],
            Role::Uma => &self.users["uma"],
            Role::Rita => &self.users["rita"],
            Role::Mara => &self.users["mara"],
            Role::Olga => &self.users["olga"],
            Role::Omni => &self.users["omni"],
            Role::Root => &self.users["root"],
            Role::TokenRead => &self.tokens[&Scope::Read],
            Role::TokenPublish => &self.tokens[&Scope::Publish],
            Role::TokenAdmin => &self.tokens[&Scope::Admin],
            Role::Access => bearer(&self.access, package),
            Role::Private => bearer(&self.private, package),
            Role::OtherAccess => bearer(&self.access, "other"),
            Role::OtherPrivate => bearer(&self.private, "other"),
        }
    }

    pub(super) fn tokens_of(&self, package: &str) -> [&str; 2] {
        [&self.access[package], &self.private[package]]
    }
}

/// A path of the table: `{p}` is the package's name, `{id}` that of an API token, `{u}` that of an upload.
pub(super) fn fill(path: &str, package: &str, api_token_id: &str, upload_id: &str) -> String {
    path.replace("{p}", package).replace("{id}", api_token_id).replace("{u}", upload_id)
}

/// The metadata of an upload as tus sends it.
pub(super) fn metadata(pairs: &[(&str, &str)], package: &str) -> String {
    let pairs = pairs.iter().map(|(name, value)| format!("{name} {}", base64(&fill(value, package, "", ""))));
    pairs.collect::<Vec<_>>().join(",")
}

/// The header of RFC 7617 for any user with this password.
pub(super) fn basic(password: &str) -> String {
    format!("Basic {}", base64(&format!("any:{password}")))
}

/// A text in Base64.
pub(super) fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let encoded = text.as_bytes().chunks(3).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..4).map(move |at| match at <= chunk.len() {
            true => char::from(DIGITS[(bits >> (18 - 6 * at) & 63) as usize]),
            false => '=',
        })
    });
    encoded.collect()
}

fn make() -> World {
    let mut server = TestServer::start();
    let names = ["uma", "rita", "mara", "olga", "omni", "root"];
    let mut users: HashMap<&str, Client> = names.into_iter().map(|name| (name, server.user(name))).collect();
    users.insert("anonymous", server.anonymous());
    let (omni, uma) = (&users["omni"], &users["uma"]);
    omni.make_package("kit", "public");
    omni.make_package("safe", "private");
    uma.make_package("other", "private");
    omni.patch("/api/v1/packages/omni/safe").json(&json!({ "description": HIDDEN_PACKAGE })).is(200);
    let (mut access, mut private) = (HashMap::new(), HashMap::new());
    for (owner, package, path) in [(omni, "kit", "omni/kit"), (omni, "safe", "omni/safe"), (uma, "other", "uma/other")]
    {
        let marker = match package {
            "kit" => "plain",
            "safe" => HIDDEN_PACKAGE,
            // Its owner may see it in the index.
            _ => "aside",
        };
        owner.publish(path, "stable/1.0.0", "any/a.zip", format!("{marker} bytes"));
        let file = file_path(path, "stable/1.0.0", "any/a.zip");
        owner.put(&format!("{file}/manifest")).json(&json!({ "package": { "title": marker } })).is(200);
        let draft = file_path(path, "stable/2.0.0", "any/b.zip");
        owner.put(&format!("{draft}?create=inactive")).body(format!("{HIDDEN_DRAFT} bytes")).is(201);
        let notes = json!({ "description": HIDDEN_DRAFT });
        owner.patch(&format!("/api/v1/packages/{path}/releases/stable/2.0.0")).json(&notes).is(200);
        for (kind, tokens) in [("access", &mut access), ("private", &mut private)] {
            let made = owner.post(&format!("/api/v1/packages/{path}/tokens/{kind}")).is(201).json();
            tokens.insert(package, made["token"].as_str().unwrap().to_owned());
        }
    }
    for package in ["kit", "safe"] {
        for (name, role) in [("rita", "reader"), ("mara", "maintainer"), ("olga", "owner")] {
            let member = format!("/api/v1/packages/omni/{package}/members/{name}");
            omni.put(&member).json(&json!({ "role": role })).is(201);
        }
    }
    let token = |name| {
        let body = json!({ "name": name, "scopes": ["admin"] });
        let made = omni.post("/api/v1/tokens").json(&body).is(201).json();
        (made["id"].to_string(), made["secret"].as_str().unwrap().to_owned())
    };
    let begin = |package: &'static str| {
        let pairs = [("package", "omni.{p}"), ("channel", "stable"), ("version", "4.0.0"), ("platform", "any")];
        let pairs = [&pairs[..], &[("filename", "a.zip"), ("create", "inactive")]].concat();
        let begin = omni.post("/api/v1/uploads").header("tus-resumable", "1.0.0").header("upload-length", "3");
        let begun = begin.header("upload-metadata", &metadata(&pairs, package)).is(201);
        (package, begun.header("location").rsplit('/').next().unwrap().to_owned())
    };
    let uploads = HashMap::from([begin("kit"), begin("safe")]);
    let (api_token_id, _) = token("kept");
    let (revoked_id, revoked) = token("revoked");
    omni.delete(&format!("/api/v1/tokens/{revoked_id}")).is(204);
    let scopes = [Scope::Read, Scope::Publish, Scope::Admin];
    let bearers = access.values().chain(private.values()).map(|token| (token.clone(), server.bearer(token))).collect();
    assert!(server.stop().success());
    World {
        files: Files::read(server.data()),
        tokens: scopes.into_iter().map(|scope| (scope, server.token("omni", scope))).collect(),
        expired: server.expired_token(),
        revoked: server.bearer(&revoked),
        disabled: server.token("dina", Scope::Admin),
        users,
        access,
        private,
        bearers,
        api_token_id,
        uploads,
    }
}
