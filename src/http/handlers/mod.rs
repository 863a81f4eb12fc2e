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
use super::app::{Answer, Ask};
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

/// Answers a request on its route. What waits for more than a file of the index is on the heap, so that small answers,
/// which are many, do not move the state of uploads about.
pub(super) async fn answer(route: Route, ask: Ask) -> Answer {
    match route {
        Route::Page => pages::page(&ask),
        Route::Asset(name) => pages::asset(&ask, &name),
        Route::Docs(name) => docs::page(&ask, &name),
        Route::DocsStyle => docs::style(&ask),
        Route::Healthz => status::healthz(),
        Route::Readyz => status::readyz(&ask),
        Route::Metrics => status::metrics(&ask),
        Route::OpenApi => openapi::document(&ask),
        Route::Setup => Box::pin(accounts::set_up(ask)).await,
        Route::SignIn => Box::pin(accounts::sign_in(ask)).await,
        Route::SignOut => Box::pin(accounts::sign_out(ask)).await,
        Route::Session => accounts::session(&ask),
        Route::AcceptInvitation => Box::pin(users::accept_invitation(ask)).await,
        Route::Users => users::list(&ask),
        Route::CreateUser => Box::pin(users::create(ask)).await,
        Route::User(name) => users::get(&ask, &name),
        Route::ChangeUser(name) => Box::pin(users::change(ask, &name)).await,
        Route::DeleteUser(name) => Box::pin(users::delete(ask, name)).await,
        Route::InviteUser(name) => Box::pin(users::invite(ask, name)).await,
        Route::AdminAudit => admin::audit(&ask),
        Route::AdminBackup => Box::pin(backup::whole(ask)).await,
        Route::AdminBackupFurther => Box::pin(backup::further(ask)).await,
        Route::AdminStorage => Box::pin(admin::storage(ask)).await,
        Route::AdminStatus => admin::status(&ask),
        Route::AdminSettings => admin::settings(&ask),
        Route::PreviewMarkdown => Box::pin(markdown::preview(ask)).await,
        Route::Tokens => tokens::list(&ask),
        Route::CreateToken => Box::pin(tokens::create(ask)).await,
        Route::DeleteToken(id) => Box::pin(tokens::delete(ask, id)).await,
        Route::Auth => tokens::opened_packages(&ask),
        Route::Channels => channels::list(&ask),
        Route::CreateChannel => Box::pin(channels::create(ask)).await,
        Route::ChangeChannel(name) => Box::pin(channels::change(ask, name)).await,
        Route::DeleteChannel(name) => Box::pin(channels::delete(ask, name)).await,
        Route::PreviewRetention(name) => Box::pin(channels::preview_retention(ask, name)).await,
        Route::Platforms => platforms::list(&ask),
        Route::CreatePlatform => Box::pin(platforms::create(ask)).await,
        Route::RenamePlatform(name) => Box::pin(platforms::rename(ask, name)).await,
        Route::DeletePlatform(name) => Box::pin(platforms::delete(ask, name)).await,
        Route::Packages => packages::list(&ask),
        Route::CreatePackage => Box::pin(packages::create(ask)).await,
        Route::Package(name) => packages::get(&ask, &name),
        Route::ChangePackage(name) => Box::pin(packages::change(ask, name)).await,
        Route::DeletePackage(name) => Box::pin(packages::delete(ask, name)).await,
        Route::ReplacePackageToken(name, kind) => Box::pin(packages::replace_token(ask, name, kind)).await,
        Route::PackageAudit(name) => packages::audit(&ask, &name),
        Route::Members(name) => packages::members(&ask, &name),
        Route::PutMember(name, user) => Box::pin(packages::put_member(ask, name, user)).await,
        Route::DeleteMember(name, user) => Box::pin(packages::delete_member(ask, name, user)).await,
        Route::Releases(name) => releases::list(&ask, &name),
        Route::Release(name) => releases::get(&ask, &name),
        Route::PutRelease(name) => Box::pin(releases::put(ask, name)).await,
        Route::ChangeRelease(name) => Box::pin(releases::change(ask, name)).await,
        Route::DeleteRelease(name) => Box::pin(releases::delete(ask, name)).await,
        Route::File(name) => downloads::file(&ask, &name),
        Route::PutFile(name) => Box::pin(files::put(ask, name)).await,
        Route::DeleteFile(name) => Box::pin(files::delete(ask, name)).await,
        Route::Manifest(name) => files::manifest(&ask, &name),
        Route::PutManifest(name) => Box::pin(files::put_manifest(ask, name)).await,
        Route::PutRequirements(name) => Box::pin(files::put_requirements(ask, name)).await,
        Route::PutExternal(name) => Box::pin(files::put_external(ask, name)).await,
        Route::Attention => Box::pin(statistics::attention(ask)).await,
        Route::Statistics(name) => Box::pin(statistics::statistics(ask, name)).await,
        Route::Events => events::events(ask),
        Route::UploadOptions => uploads::options(&ask),
        Route::Uploads => uploads::list(&ask),
        Route::CreateUpload => Box::pin(uploads::create(ask)).await,
        Route::Upload(id) => uploads::get(&ask, id),
        Route::ContinueUpload(id) => Box::pin(uploads::send(ask, id)).await,
        Route::DeleteUpload(id) => Box::pin(uploads::delete(ask, id)).await,
        Route::RegistryPublish => Box::pin(registry::publish(ask)).await,
        Route::RegistryUnpublish => Box::pin(registry::unpublish(ask)).await,
        Route::Updates => updates::updates(&ask),
        Route::Requirements => updates::requirements(&ask),
        Route::Search => updates::search(&ask),
        Route::Download(link) => downloads::link(&ask, &link),
        Route::IndexRegistry(view) => index_files::registry(ask, view).await,
        Route::IndexSummaries(view) => index_files::summaries(ask, view).await,
        Route::IndexChanges(view) => Box::pin(index_files::changes(ask, view)).await,
        Route::IndexPackage(view, name) => index_files::package(ask, view, name).await,
        Route::IndexReleases(view, name) => Box::pin(index_files::releases(ask, view, name)).await,
        Route::KitFile(view, file) => Box::pin(kit::file(ask, view, file)).await,
        Route::ArchiveManifest(view, name, id) => downloads::archive_manifest(&ask, view.as_ref(), &name, &id),
        Route::Archive(view, name, id, display_name) => {
            downloads::archive(&ask, view.as_ref(), &name, &id, &display_name)
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
