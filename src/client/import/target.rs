//! Where an import publishes: the server's packages and releases as they are, and the requests that add what is missing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::plan::{PackagePlan, Planned, ReleasePlan};
use super::source::Source;
use super::{ImportError, ImportOptions, ImportReport};
use crate::client::connection::Request;
use crate::client::progress::Silent;
use crate::client::publish::{REPR_DIGEST, repr_digest};
use crate::client::upload::{FilePayload, Payload};
use crate::client::url::encode;
use crate::client::{Client, RequestError, Url};
use crate::model::{ChannelName, DisplayName, FullName, PlatformName, Sha256, UserName, Visibility};

/// How archives are put: as a draft where their release is missing, with their platform where that is, and also into
/// releases that have long been active, since a copy follows its origin.
const OPTIONS: &str = "create=inactive&create_platform=true&late=true&role=archive";

/// The most that a page of a list has.
const PAGE: usize = 500;

/// The server, and what its caller has there.
pub(super) struct Target<'a> {
    client: &'a Client,
    base: &'a Url,
    namespace: &'a UserName,
    /// Whether packages can be made in the namespace.
    is_own: bool,
    /// Whether the caller may tell times.
    may_tell_times: bool,
    channels: BTreeSet<ChannelName>,
    platforms: Vec<PlatformName>,
}

#[derive(Deserialize)]
struct Session {
    user: Named,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Page<T> {
    items: Vec<T>,
    #[serde(default)]
    next: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    default_channel: Option<String>,
}

#[derive(Deserialize)]
struct Release {
    channel: String,
    version: String,
    active: bool,
    #[serde(default)]
    yanked: Option<String>,
    files: Vec<ReleaseFile>,
}

#[derive(Deserialize)]
struct ReleaseFile {
    platform: String,
    display_name: String,
    /// Servers of the time before roles say none; the first file of a platform was its archive then.
    role: Option<String>,
    size: Option<u64>,
    sha256: Option<String>,
}

/// A package of the server's, which is there by now.
pub(super) struct PackageTarget {
    pub(super) is_new: bool,
    name: FullName,
    from: FullName,
    default_channel: ChannelName,
    releases: HashMap<(String, String), Release>,
}

impl<'a> Target<'a> {
    /// Finds out who is publishing, and with what.
    pub(super) async fn open(client: &'a Client, options: &'a ImportOptions) -> Result<Self, ImportError> {
        let (base, namespace) = (&options.base, &options.namespace);
        let failed = || ImportError::request(format!("publishing as {namespace}"));
        let session: Session = client.ask_json(&Request::get(base.join("api/v1/session"))).await.map_err(failed())?;
        let is_own = session.user.name == namespace.as_str();
        let mut target = Self {
            client,
            base,
            namespace,
            is_own,
            may_tell_times: false,
            channels: BTreeSet::new(),
            platforms: Vec::new(),
        };
        // What only the widest scope may see tells whether this is one.
        let tokens = client.send(&Request::get(base.join("api/v1/tokens"))).await.map_err(failed())?;
        target.may_tell_times = tokens.status.is_success();
        if is_own {
            let names = |page: Page<Named>| page.items.into_iter().map(|item| item.name);
            let channels = client.ask_json(&Request::get(base.join("api/v1/channels"))).await.map_err(failed())?;
            target.channels = names(channels).filter_map(|name| name.parse().ok()).collect();
            let platforms = client.ask_json(&Request::get(base.join("api/v1/platforms"))).await.map_err(failed())?;
            target.platforms = names(platforms).filter_map(|name| name.parse().ok()).collect();
            if let Some(channel) = options.channel.as_ref().filter(|channel| !target.channels.contains(*channel)) {
                let known: Vec<&str> = target.channels.iter().map(ChannelName::as_str).collect();
                let why = format!("{namespace} has no channel {channel}, but {}", known.join(", "));
                return Err(ImportError::Refused { what: "--channel".to_owned(), why });
            }
        }
        Ok(target)
    }

    /// The platforms that are there already.
    pub(super) fn platforms(&self) -> &[PlatformName] {
        &self.platforms
    }

    /// The channel for a release that was on `listed`.
    pub(super) fn channel_for(
        &self,
        options: &ImportOptions,
        package: &PackageTarget,
        listed: Option<&ChannelName>,
    ) -> ChannelName {
        let same = listed.filter(|channel| self.channels.contains(*channel));
        options.channel.as_ref().or(same).unwrap_or(&package.default_channel).clone()
    }

    /// The package, made if it is missing, with its releases.
    pub(super) async fn package(
        &self,
        name: &FullName,
        plan: &PackagePlan,
        options: &ImportOptions,
    ) -> Result<PackageTarget, ImportError> {
        let refuse = |why: String| ImportError::Refused { what: name.to_string(), why };
        if plan.has_times() && !self.may_tell_times {
            return Err(refuse(
                "only owners may say when a release was first published; give an API token with the scope admin"
                    .to_owned(),
            ));
        }
        let failed = || ImportError::request(name);
        let response = self.client.send(&Request::get(self.package_url(name))).await.map_err(failed())?;
        let is_new = response.status == StatusCode::NOT_FOUND;
        let package: Package = if is_new {
            if !self.is_own {
                return Err(refuse(format!(
                    "the token is not one of {}'s, who alone may make packages there",
                    self.namespace
                )));
            }
            let visibility = if options.private { Visibility::Private } else { plan.visibility };
            let mut body = json!({
                "name": name.name(),
                "description": plan.description.as_str(),
                "visibility": visibility.as_str(),
            });
            // A server of a time before schemes takes no such field.
            if !plan.version_scheme.is_default() {
                body["version_scheme"] = plan.version_scheme.as_str().into();
            }
            let request = Request::new(Method::POST, self.base.join("api/v1/packages")).json(&body);
            self.client.ask_json(&request).await.map_err(failed())?
        } else {
            let answered = async { response.or_refusal().await?.json().await };
            answered.await.map_err(failed())?
        };
        let default_channel = package.default_channel.and_then(|name| name.parse().ok());
        let default_channel = default_channel.ok_or_else(|| {
            refuse("the server does not say its default channel; is it older than this program?".to_owned())
        })?;
        let releases = if is_new { HashMap::new() } else { self.releases(name).await.map_err(failed())? };
        Ok(PackageTarget { is_new, name: name.clone(), from: plan.from.clone(), default_channel, releases })
    }

    async fn releases(&self, name: &FullName) -> Result<HashMap<(String, String), Release>, RequestError> {
        let mut releases = HashMap::new();
        let mut cursor = None;
        loop {
            let more = cursor.map_or_else(String::new, |cursor: String| format!("&cursor={}", encode(&cursor)));
            let url = self.package_url(name).join(&format!("/releases?limit={PAGE}{more}"));
            let response = self.client.ask(&Request::get(url)).await?;
            let page: Page<Release> = response.json_within(PAGE_BYTES_MAX).await?;
            releases.extend(
                page.items.into_iter().map(|release| ((release.channel.clone(), release.version.clone()), release)),
            );
            match page.next {
                Some(next) => cursor = Some(next),
                None => return Ok(releases),
            }
        }
    }

    fn package_url(&self, name: &FullName) -> Url {
        let (namespace, name) = (name.namespace(), name.name());
        self.base.join(&format!("api/v1/packages/{}/{}", encode(namespace.as_str()), encode(name.as_str())))
    }
}

/// Bytes of a page of releases, whose notes may be long.
const PAGE_BYTES_MAX: u64 = 512 << 20;

/// What an archive is at the server.
enum There {
    No,
    Yes(DisplayName),
}

impl PackageTarget {
    /// Publishes what is missing of a release.
    pub(super) async fn publish(
        &self,
        target: &Target<'_>,
        source: &Source,
        options: &ImportOptions,
        plan: &ReleasePlan,
    ) -> Result<ImportReport, ImportError> {
        let mut report = ImportReport::default();
        let there = self.releases.get(&(plan.channel.to_string(), plan.version.to_string()));
        let is_active = there.is_some_and(|release| release.active);
        let places = plan.archives.iter().map(|archive| self.find(there, archive)).collect::<Result<Vec<_>, _>>()?;
        let yanked = plan.archives.iter().find_map(|archive| archive.yanked.as_ref());
        let to_yank = yanked.filter(|_| there.is_none_or(|release| release.yanked.is_none()));
        let is_whole = places.iter().all(|place| matches!(place, There::Yes(_)));
        if is_active && is_whole && to_yank.is_none() {
            report.unchanged = 1;
            return Ok(report);
        }
        let url = target.package_url(&self.name).join(&format!(
            "/releases/{}/{}",
            encode(plan.channel.as_str()),
            encode(plan.version.as_str())
        ));
        for (archive, place) in plan.archives.iter().zip(&places) {
            let sending = Sending { package: self, target, source, archive, release: &url };
            match place {
                There::Yes(_) if is_active => {}
                There::Yes(name) => sending.complete(name).await?,
                There::No => {
                    *(if sending.send(options).await? {
                        &mut report.archives_sent
                    } else {
                        &mut report.archives_linked
                    }) += 1;
                    sending.complete(&archive.display_name).await?;
                }
            }
        }
        let mut change = serde_json::Map::new();
        if let Some(reason) = to_yank {
            change.insert("yanked".to_owned(), reason.as_str().into());
        }
        if !is_active {
            change.insert("active".to_owned(), true.into());
            if let Some(published) = plan.archives.iter().find_map(|archive| archive.published) {
                change.insert("published".to_owned(), published.to_string().into());
            }
            if let Some(notes) = plan.archives.iter().find_map(|archive| archive.description.as_ref()) {
                change.insert("description".to_owned(), notes.as_str().into());
            }
        }
        if !change.is_empty() {
            let request = Request::new(Method::PUT, url).json(&Value::Object(change));
            let what = format!("{} {} on {}", self.name, plan.version, plan.channel);
            target.client.ask(&request).await.map_err(ImportError::request(what))?;
        }
        *(if is_active { &mut report.changed } else { &mut report.published }) = 1;
        Ok(report)
    }

    /// The archive at the server, if there is one.
    fn find(&self, there: Option<&Release>, archive: &Planned) -> Result<There, ImportError> {
        let files = there.map_or(&[][..], |release| &release.files);
        let is_archive = |file: &&ReleaseFile| {
            file.platform == archive.id.platform.as_str() && file.role.as_deref().is_none_or(|role| role == "archive")
        };
        let Some(file) = files.iter().find(is_archive) else {
            return Ok(There::No);
        };
        let sha256 = file.sha256.as_ref().and_then(|text| text.parse::<Sha256>().ok());
        if sha256 != Some(archive.line.sha256) || file.size != Some(archive.line.size_bytes) {
            return Err(ImportError::Refused {
                what: self.what(archive),
                why: format!(
                    "there is another archive already (SHA-256 {}, not {}); an archive never becomes another",
                    file.sha256.as_deref().unwrap_or("unknown"),
                    archive.line.sha256
                ),
            });
        }
        let name = file.display_name.parse();
        name.map(There::Yes).map_err(|why| ImportError::Refused { what: self.what(archive), why: format!("{why}") })
    }

    fn what(&self, archive: &Planned) -> String {
        format!("{} {}", self.name, archive.line.id)
    }
}

/// An archive under way.
struct Sending<'a> {
    package: &'a PackageTarget,
    target: &'a Target<'a>,
    source: &'a Source,
    archive: &'a Planned,
    release: &'a Url,
}

impl Sending<'_> {
    fn url(&self, name: &DisplayName) -> Url {
        let platform = encode(self.archive.id.platform.as_str());
        self.release.join(&format!("/files/{platform}/{}", encode(name.as_str())))
    }

    /// Sends the archive, or says where it is. Answers whether it was sent.
    async fn send(&self, options: &ImportOptions) -> Result<bool, ImportError> {
        let Self { archive, source, .. } = self;
        let (line, url) = (&archive.line, self.url(&archive.display_name));
        let elsewhere = if line.archive_path.contains("://") {
            Some(line.archive_path.clone())
        } else if options.link {
            source.address(line).map(|url| url.exposed())
        } else {
            None
        };
        if let Some(address) = elsewhere {
            let body = json!({ "url": address, "size": line.size_bytes, "sha256": line.sha256.to_string() });
            let request =
                Request::new(Method::POST, url.join(&format!("/external?{OPTIONS}"))).json(&body).repeatable();
            self.ask(&request).await?;
            return Ok(false);
        }
        let Some(file) = source.archive(line).await? else {
            return Err(ImportError::Refused {
                what: self.package.what(archive),
                why: "its archive is not in the tree, which may have been exported without archives; export it with them, \
                      or import it from the server's address"
                    .to_owned(),
            });
        };
        let payload = FilePayload {
            path: file.path.clone(),
            offset_bytes: 0,
            size_bytes: line.size_bytes,
            progress: Arc::new(Silent),
        };
        let content_type = HeaderValue::from_str(archive.mime_type.as_str());
        let request = Request::new(Method::PUT, url.join(&format!("?{OPTIONS}")))
            .header(CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("application/octet-stream")))
            .header(REPR_DIGEST, repr_digest(line.sha256))
            .payload(Payload::File(payload));
        self.ask(&request).await?;
        Ok(true)
    }

    /// Adds what belongs to the archive, which is called `name`.
    async fn complete(&self, name: &DisplayName) -> Result<(), ImportError> {
        let Self { archive, source, package, .. } = self;
        let url = self.url(name);
        let manifest = source.manifest(&package.from, &archive.line.id, archive.manifest_sha256).await?;
        if let Some(manifest) = manifest {
            let request = Request::new(Method::PUT, url.join("/manifest"))
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .payload(Payload::Bytes(manifest.to_text().into()));
            self.ask(&request).await?;
        }
        if !archive.requirements.is_empty() {
            self.ask(&Request::new(Method::PUT, url.join("/requirements")).json(&json!(archive.requirements))).await?;
        }
        Ok(())
    }

    async fn ask(&self, request: &Request) -> Result<(), ImportError> {
        let asked = self.target.client.ask(request).await;
        asked.map(drop).map_err(ImportError::request(self.package.what(self.archive)))
    }
}
