//! The update check: whether a registry has something newer than what an application is.

use http::HeaderValue;
use http::header::ACCEPT;
use serde::{Deserialize, Deserializer, Serialize};

use super::connection::{Client, Request};
use super::error::{Failure, RequestError};
use super::url::{Url, encode};
use crate::model::{ChannelName, Crc32, FullName, PlatformName, Sha256, Version};

/// What an application is and follows.
#[derive(Debug, Clone)]
pub struct UpdateQuery {
    /// The package.
    pub id: FullName,
    /// The channel; the owner's default if missing.
    pub channel: Option<ChannelName>,
    /// The platform; `any` if missing.
    pub platform: Option<PlatformName>,
    /// What is installed; everything is newer than nothing.
    pub version: Option<Version>,
}

/// A release that is newer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// Its version.
    #[serde(deserialize_with = "parsed")]
    pub version: Version,
    /// When it was published, RFC 3339.
    #[serde(default)]
    pub released: Option<String>,
    /// Size of the archive in bytes; none where it is kept elsewhere and nobody gave it.
    #[serde(default)]
    pub size: Option<u64>,
    /// Release notes, Markdown.
    #[serde(default)]
    pub release_notes: Option<String>,
    /// Where the archive is; an absolute address that works as it stands, so it may hold a token.
    pub filename: String,
    /// Digest of the archive; none as for the size.
    #[serde(default, deserialize_with = "parsed_option", serialize_with = "shown_option")]
    pub sha256: Option<Sha256>,
    /// Checksum of the archive; none where it is kept elsewhere.
    #[serde(default, deserialize_with = "parsed_option", serialize_with = "shown_option")]
    pub crc32: Option<Crc32>,
    /// What the release needs.
    #[serde(default)]
    pub requirements: Vec<UpdateRequirement>,
}

/// Something a release needs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct UpdateRequirement {
    /// Of which kind, as in `package` or `os`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What.
    pub name: String,
    /// In which version.
    #[serde(default)]
    pub version: Option<String>,
}

#[derive(Deserialize)]
struct Newest {
    success: bool,
    #[serde(rename = "isNewer")]
    is_newer: bool,
    #[serde(flatten)]
    update: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct All {
    success: bool,
    data: Vec<Update>,
}

/// Asks for the newest release above the installed one (`mode=1`); nothing if that is the newest.
///
/// # Errors
/// [`RequestError`]; an unknown package and a private one without its token are both 404.
pub async fn newest(client: &Client, base: &Url, query: &UpdateQuery) -> Result<Option<Update>, RequestError> {
    let request = request(base, query, 1);
    let url = request.url().clone();
    let unreadable = |why: String| RequestError::new(&http::Method::GET, &url, Failure::Unreadable(why));
    let answer: Newest = client.ask_json(&request).await?;
    match answer {
        Newest { success: false, .. } => Err(unreadable("it is no success, and no error".to_owned())),
        Newest { is_newer: false, .. } => Ok(None),
        Newest { update, .. } => {
            serde_json::from_value(update.unwrap_or_default()).map(Some).map_err(|error| unreadable(error.to_string()))
        }
    }
}

/// Asks for all releases above the installed one (`mode=2`), newest first.
///
/// # Errors
/// As [`newest`].
pub async fn all(client: &Client, base: &Url, query: &UpdateQuery) -> Result<Vec<Update>, RequestError> {
    let request = request(base, query, 2);
    let answer: All = client.ask_json(&request).await?;
    if !answer.success {
        let failure = Failure::Unreadable("it is no success, and no error".to_owned());
        return Err(RequestError::new(&http::Method::GET, request.url(), failure));
    }
    Ok(answer.data)
}

fn request(base: &Url, query: &UpdateQuery, mode: u8) -> Request {
    let mut target = format!("api/v1/updates?id={}", encode(query.id.as_str()));
    let optional = [
        ("channel", query.channel.as_ref().map(ChannelName::as_str)),
        ("platform", query.platform.as_ref().map(PlatformName::as_str)),
        ("version", query.version.as_ref().map(Version::as_str)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            target.push_str(&format!("&{name}={}", encode(value)));
        }
    }
    target.push_str(&format!("&mode={mode}"));
    Request::get(base.join(&target)).header(ACCEPT, HeaderValue::from_static("application/json"))
}

fn parsed<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<T, D::Error>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn parsed_option<'de, D: Deserializer<'de>, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(serde::de::Error::custom)).transpose()
}

fn shown_option<S: serde::Serializer>(
    value: &Option<impl std::fmt::Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_server::{Reply, TestServer};
    use super::*;

    fn query() -> UpdateQuery {
        UpdateQuery {
            id: "omni.foo".parse().unwrap(),
            channel: Some("beta".parse().unwrap()),
            platform: None,
            version: Some("1.0.0+x".parse().unwrap()),
        }
    }

    fn update(version: &str) -> serde_json::Value {
        json!({"version": version, "released": "2026-11-21T08:00:00Z", "size": 7, "releaseNotes": "# New",
            "filename": "http://h/t/ph_acc_x/f.zip", "sha256": "ab".repeat(32), "crc32": "cbf43926",
            "requirements": [{"type": "os", "name": "linux", "version": "6"}], "later": {}})
    }

    #[tokio::test]
    async fn the_newest_is_answered_with_all_it_says() {
        let server = TestServer::start(|_| {
            let mut answer = update("1.1.0");
            answer["success"] = true.into();
            answer["isNewer"] = true.into();
            Reply::json(200, &answer)
        })
        .await;
        let found = newest(&server.client(), &server.url, &query()).await.unwrap().unwrap();
        assert_eq!(server.take_lines(), ["GET /api/v1/updates?id=omni.foo&channel=beta&version=1.0.0%2Bx&mode=1"]);
        assert_eq!(found.version.as_str(), "1.1.0");
        assert_eq!(found.crc32, Some(Crc32(0xcbf4_3926)));
        assert_eq!((found.requirements[0].kind.as_str(), found.size), ("os", Some(7)));
        let shown = serde_json::to_value(&found).unwrap();
        assert_eq!(shown["sha256"], "ab".repeat(32));
        assert_eq!(shown["releaseNotes"], "# New");
    }

    #[tokio::test]
    async fn nothing_newer_is_no_error_and_nonsense_is() {
        let server = TestServer::start(|_| Reply::json(200, &json!({"success": true, "isNewer": false}))).await;
        assert_eq!(newest(&server.client(), &server.url, &query()).await.unwrap(), None);
        for answer in [json!({"success": false, "isNewer": true}), json!({"success": true, "isNewer": true}), json!([])]
        {
            let server = TestServer::start(move |_| Reply::json(200, &answer)).await;
            let error = newest(&server.client(), &server.url, &query()).await.unwrap_err();
            assert!(matches!(error.failure, Failure::Unreadable(_)), "{error}");
        }
    }

    #[tokio::test]
    async fn all_newer_ones_come_in_the_servers_order() {
        let server = TestServer::start(|_| {
            Reply::json(200, &json!({"success": true, "data": [update("1.2.0"), update("1.1.0")]}))
        })
        .await;
        let found = all(&server.client(), &server.url, &query()).await.unwrap();
        let versions: Vec<_> = found.iter().map(|update| update.version.as_str()).collect();
        assert_eq!(versions, ["1.2.0", "1.1.0"]);
    }

    #[tokio::test]
    async fn an_unknown_package_is_told_in_the_servers_words() {
        let detail = "no package omni.foo; it may be private";
        let problem = json!({"success": false, "code": "not_found", "message": "m", "detail": detail});
        let server = TestServer::start(move |_| Reply::json(404, &problem)).await;
        let error = newest(&server.client(), &server.url, &query()).await.unwrap_err();
        assert!(error.to_string().contains("it may be private"), "{error}");
    }
}
