//! What each route does: translate the request into a service call, and its result into a response. No rules here.

mod accounts;
mod admin;
mod backup;
mod channels;
mod docs;
mod downloads;
mod events;
mod files;
mod index_files;
mod kit;
mod markdown;
mod openapi;
mod packages;
mod pages;
mod platforms;
mod registry;
mod releases;
mod statistics;
mod status;
mod tokens;
mod updates;
mod uploads;
mod users;

pub(super) use updates::in_both_dialects;

use http::{HeaderValue, Response, StatusCode};

use super::Body;
use super::app::{Answer, Ask, Reply};
use super::conditional;
use super::etag::ETag;
use super::problem::Problem;
use super::route::Route;
use crate::service::Condition;

/// `Cache-Control` of answers that depend on who asks or on the moment.
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
/// Most bytes of a JSON body that holds no long text.
const SMALL_JSON_BYTES_MAX: u64 = 64 * 1024;
/// Most bytes of a JSON body with a Markdown text: its 256 KiB, every one of them escaped.
const TEXT_JSON_BYTES_MAX: u64 = 2 * 1024 * 1024;

/// Answers a request on its route.
pub(super) fn answer(route: Route, ask: Box<Ask>) -> Reply {
    match route {
        Route::Page => pages::page(&ask).into(),
        Route::Asset(name) => pages::asset(&ask, &name).into(),
        Route::Docs(name) => docs::page(&ask, &name).into(),
        Route::DocsStyle => docs::style(&ask).into(),
        Route::Healthz => status::healthz().into(),
        Route::Readyz => status::readyz(&ask).into(),
        Route::Metrics => status::metrics(&ask).into(),
        Route::OpenApi => openapi::document(&ask).into(),
        Route::Setup => Reply::later(move || accounts::set_up(*ask)),
        Route::SignIn => Reply::later(move || accounts::sign_in(*ask)),
        Route::SignOut => Reply::later(move || accounts::sign_out(*ask)),
        Route::Session => accounts::session(&ask).into(),
        Route::AcceptInvitation => Reply::later(move || users::accept_invitation(*ask)),
        Route::Users => users::list(&ask).into(),
        Route::CreateUser => Reply::later(move || users::create(*ask)),
        Route::User(name) => users::get(&ask, &name).into(),
        Route::ChangeUser(name) => Reply::later(move || async move { users::change(*ask, &name).await }),
        Route::DeleteUser(name) => Reply::later(move || users::delete(*ask, name)),
        Route::InviteUser(name) => Reply::later(move || users::invite(*ask, name)),
        Route::AdminAudit => admin::audit(&ask).into(),
        Route::AdminBackup => Reply::later(move || backup::whole(*ask)),
        Route::AdminBackupFurther => Reply::later(move || backup::further(*ask)),
        Route::AdminStorage => Reply::later(move || admin::storage(*ask)),
        Route::AdminStatus => admin::status(&ask).into(),
        Route::AdminSettings => admin::settings(&ask).into(),
        Route::PreviewMarkdown => Reply::later(move || markdown::preview(*ask)),
        Route::Tokens => tokens::list(&ask).into(),
        Route::CreateToken => Reply::later(move || tokens::create(*ask)),
        Route::DeleteToken(id) => Reply::later(move || tokens::delete(*ask, id)),
        Route::Auth => tokens::opened_packages(&ask).into(),
        Route::Channels => channels::list(&ask).into(),
        Route::CreateChannel => Reply::later(move || channels::create(*ask)),
        Route::ChangeChannel(name) => Reply::later(move || channels::change(*ask, name)),
        Route::DeleteChannel(name) => Reply::later(move || channels::delete(*ask, name)),
        Route::PreviewRetention(name) => Reply::later(move || channels::preview_retention(*ask, name)),
        Route::Platforms => platforms::list(&ask).into(),
        Route::CreatePlatform => Reply::later(move || platforms::create(*ask)),
        Route::RenamePlatform(name) => Reply::later(move || platforms::rename(*ask, name)),
        Route::DeletePlatform(name) => Reply::later(move || platforms::delete(*ask, name)),
        Route::Packages => packages::list(&ask).into(),
        Route::CreatePackage => Reply::later(move || packages::create(*ask)),
        Route::Package(name) => packages::get(&ask, &name).into(),
        Route::ChangePackage(name) => Reply::later(move || packages::change(*ask, name)),
        Route::DeletePackage(name) => Reply::later(move || packages::delete(*ask, name)),
        Route::ReplacePackageToken(name, kind) => Reply::later(move || packages::replace_token(*ask, name, kind)),
        Route::PackageAudit(name) => packages::audit(&ask, &name).into(),
        Route::Members(name) => packages::members(&ask, &name).into(),
        Route::PutMember(name, user) => Reply::later(move || packages::put_member(*ask, name, user)),
        Route::DeleteMember(name, user) => Reply::later(move || packages::delete_member(*ask, name, user)),
        Route::Releases(name) => releases::list(&ask, &name).into(),
        Route::Offers(name) => releases::offers(&ask, &name).into(),
        Route::Release(name) => releases::get(&ask, &name).into(),
        Route::PutRelease(name) => Reply::later(move || releases::put(*ask, name)),
        Route::ChangeRelease(name) => Reply::later(move || releases::change(*ask, name)),
        Route::DeleteRelease(name) => Reply::later(move || releases::delete(*ask, name)),
        Route::File(name) => downloads::file(&ask, &name).into(),
        Route::PutFile(name) => Reply::later(move || files::put(*ask, name)),
        Route::ChangeFile(name) => Reply::later(move || files::change(*ask, name)),
        Route::DeleteFile(name) => Reply::later(move || files::delete(*ask, name)),
        Route::Manifest(name) => files::manifest(&ask, &name).into(),
        Route::PutManifest(name) => Reply::later(move || files::put_manifest(*ask, name)),
        Route::PutRequirements(name) => Reply::later(move || files::put_requirements(*ask, name)),
        Route::PutExternal(name) => Reply::later(move || files::put_external(*ask, name)),
        Route::Attention => Reply::later(move || statistics::attention(*ask)),
        Route::Statistics(name) => Reply::later(move || statistics::statistics(*ask, name)),
        Route::Events => events::events(*ask).into(),
        Route::UploadOptions => uploads::options(&ask).into(),
        Route::Uploads => uploads::list(&ask).into(),
        Route::CreateUpload => Reply::later(move || uploads::create(*ask)),
        Route::Upload(id) => uploads::get(&ask, id).into(),
        Route::ContinueUpload(id) => Reply::later(move || uploads::send(*ask, id)),
        Route::DeleteUpload(id) => Reply::later(move || uploads::delete(*ask, id)),
        Route::RegistryPublish => Reply::later(move || registry::publish(*ask)),
        Route::RegistryUnpublish => Reply::later(move || registry::unpublish(*ask)),
        Route::Updates => updates::updates(&ask).into(),
        Route::Requirements => updates::requirements(&ask).into(),
        Route::Search => updates::search(&ask).into(),
        Route::Download(link) => downloads::link(&ask, &link).into(),
        Route::IndexRegistry(view) => index_files::registry(ask, view),
        Route::IndexSummaries(view) => index_files::summaries(ask, view),
        Route::IndexChanges(view) => Reply::later(move || index_files::changes(*ask, view)),
        Route::IndexPackage(view, name) => index_files::package(ask, view, name),
        Route::IndexReleases(view, name) => Reply::later(move || index_files::releases(*ask, view, name)),
        Route::KitFile(view, file) => Reply::later(move || kit::file(*ask, view, file)),
        Route::ArchiveManifest(view, name, id) => downloads::archive_manifest(&ask, view.as_ref(), &name, &id).into(),
        Route::Archive(view, name, id, display_name) => {
            downloads::archive(&ask, view.as_ref(), &name, &id, &display_name).into()
        }
    }
}

/// Adds the mark of what can be changed, by which a change can be made conditional.
fn with_mark(mut response: Response<Body>, mark: &str) -> Answer {
    let etag = ETag::strong(mark).map_err(|error| Problem::internal(&error))?;
    response.headers_mut().insert(http::header::ETAG, etag.header_value().clone());
    Ok(response)
}

/// What the request demands of the state that it changes (RFC 9110, sections 13.1.1 and 13.1.2).
fn condition(ask: &Ask) -> Result<Condition, Problem> {
    conditional::for_change(&ask.headers).map_err(Problem::bad_request)
}

/// The answer to something that was deleted.
fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
