//! JSON bodies, read and written.

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::handlers::NO_STORE;
use super::problem::Problem;
use super::{Body, RequestBody};
use crate::model::byte_order_mark::{is_utf16, without_mark};

/// Reads a body of at most `limit_bytes` as JSON with exactly the fields of `T`.
///
/// # Errors
/// 400 if it is no JSON, 422 if a field is unknown, missing or of another type, 413 if it is too large.
pub(super) async fn read<T: DeserializeOwned>(body: RequestBody, limit_bytes: u64) -> Result<T, Problem> {
    let bytes = body.collect_limited(limit_bytes).await?;
    if is_utf16(&bytes) {
        return Err(Problem::bad_request("the body is UTF-16; JSON is sent as UTF-8"));
    }
    serde_json::from_slice(without_mark(&bytes)).map_err(|error| match error.classify() {
        Category::Data => {
            let message = error.to_string();
            let field = message.split('`').nth(1).map(str::to_owned);
            match field {
                Some(field) if message.contains("field `") => Problem::unprocessable(field, message),
                _ => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "A rule is broken", message),
            }
        }
        _ => Problem::bad_request(format!("the body is not JSON: {error}")),
    })
}

/// A response with a JSON body, which no cache keeps: most depend on who asks.
///
/// # Errors
/// If the value has no JSON form, which is a bug.
pub(super) fn respond(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, Problem> {
    let text = serde_json::to_vec(value).map_err(|error| Problem::internal(&error))?;
    let mut response = Response::new(Body::full(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    Ok(response)
}

/// Distinguishes a field that is `null` from one that is absent.
///
/// # Errors
/// If the value is of another type.
pub(super) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

/// Parses a text of a body into a value of the model.
///
/// # Errors
/// 422 that names the field.
pub(super) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Problem> {
    text.parse().map_err(|problem: T::Err| Problem::unprocessable(field, problem.to_string()))
}

/// Parses a flag that may be absent: it is not set then.
///
/// # Errors
/// 422 that names the field.
pub(super) fn parse_flag(field: &'static str, text: Option<&str>) -> Result<bool, Problem> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Problem::unprocessable(field, format!("{field} is true or false"))),
    }
}

/// Parses a text that may be absent.
///
/// # Errors
/// 422 that names the field.
pub(super) fn parse_some<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    text.map(|text| parse(field, text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Limits;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        name: String,
        #[serde(default, deserialize_with = "present")]
        when: Option<Option<String>>,
    }

    async fn parsed(text: &'static str) -> Result<Example, Problem> {
        read(RequestBody::from_body(Body::full(text), &Limits::DEFAULT), 100).await
    }

    #[tokio::test]
    async fn bodies_have_exactly_their_fields() {
        let example = parsed(r#"{"name":"a","when":null}"#).await.unwrap();
        assert_eq!((example.name.as_str(), example.when), ("a", Some(None)));
        assert_eq!(parsed(r#"{"name":"a"}"#).await.unwrap().when, None);
        assert_eq!(parsed("\u{feff}{\"name\":\"a\"}").await.unwrap().name, "a");
        for (text, status) in [
            ("", 400),
            ("{", 400),
            (r#"{"name":"a"} x"#, 400),
            (r#"{"name":1}"#, 422),
            (r#"{"name":"a","other":1}"#, 422),
            ("{}", 422),
            ("[]", 422),
        ] {
            assert_eq!(parsed(text).await.unwrap_err().status(), status, "{text}");
        }
    }

    #[tokio::test]
    async fn a_large_body_is_refused() {
        let body = RequestBody::from_body(Body::full(" ".repeat(101)), &Limits::DEFAULT);
        assert_eq!(read::<Example>(body, 100).await.unwrap_err().status(), 413);
    }
}
