//! What each route does: translate the request into a service call, and its result into a response. No rules here.

mod accounts;
mod admin;
mod channels;
mod downloads;
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
mod status;
mod tokens;
mod updates;
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

/// Answers a request on its route.
pub(super) async fn answer(route: Route, ask: Ask) -> Answer {
    match route {
        Route::Landing => pages::landing(&ask),
        Route::SetupPage => pages::setup(&ask),
        Route::SetupForm => pages::submit_setup(ask).await,
        Route::Asset(name) => pages::asset(&ask, &name),
        Route::Healthz => status::healthz(),
        Route::Readyz => status::readyz(&ask),
        Route::Metrics => status::metrics(&ask),
        Route::OpenApi => openapi::document(&ask),
        Route::Setup => accounts::set_up(ask).await,
        Route::SignIn => accounts::sign_in(ask).await,
        Route::SignOut => accounts::sign_out(ask).await,
        Route::Session => accounts::session(&ask),
        Route::AcceptInvitation => users::accept_invitation(ask).await,
        Route::Users => users::list(&ask),
        Route::CreateUser => users::create(ask).await,
        Route::User(name) => users::get(&ask, &name),
        Route::ChangeUser(name) => users::change(ask, &name).await,
        Route::DeleteUser(name) => users::delete(ask, name).await,
        Route::InviteUser(name) => users::invite(ask, name).await,
        Route::AdminAudit => admin::audit(&ask),
        Route::AdminStorage => admin::storage(ask).await,
        Route::AdminStatus => admin::status(&ask),
        Route::AdminSettings => admin::settings(&ask),
        Route::PreviewMarkdown => markdown::preview(ask).await,
        Route::Tokens => tokens::list(&ask),
        Route::CreateToken => tokens::create(ask).await,
        Route::DeleteToken(id) => tokens::delete(ask, id).await,
        Route::Auth => tokens::opened_packages(&ask),
        Route::Channels => channels::list(&ask),
        Route::CreateChannel => channels::create(ask).await,
        Route::ChangeChannel(name) => channels::change(ask, name).await,
        Route::DeleteChannel(name) => channels::delete(ask, name).await,
        Route::Platforms => platforms::list(&ask),
        Route::CreatePlatform => platforms::create(ask).await,
        Route::RenamePlatform(name) => platforms::rename(ask, name).await,
        Route::DeletePlatform(name) => platforms::delete(ask, name).await,
        Route::Packages => packages::list(&ask),
        Route::CreatePackage => packages::create(ask).await,
        Route::Package(name) => packages::get(&ask, &name),
        Route::ChangePackage(name) => packages::change(ask, name).await,
        Route::DeletePackage(name) => packages::delete(ask, name).await,
        Route::ReplacePackageToken(name, kind) => packages::replace_token(ask, name, kind).await,
        Route::PackageAudit(name) => packages::audit(&ask, &name),
        Route::Members(name) => packages::members(&ask, &name),
        Route::PutMember(name, user) => packages::put_member(ask, name, user).await,
        Route::DeleteMember(name, user) => packages::delete_member(ask, name, user).await,
        Route::Releases(name) => releases::list(&ask, &name),
        Route::Release(name) => releases::get(&ask, &name),
        Route::PutRelease(name) => releases::put(ask, name).await,
        Route::ChangeRelease(name) => releases::change(ask, name).await,
        Route::DeleteRelease(name) => releases::delete(ask, name).await,
        Route::File(name) => downloads::file(&ask, &name),
        Route::PutFile(name) => files::put(ask, name).await,
        Route::DeleteFile(name) => files::delete(ask, name).await,
        Route::Manifest(name) => files::manifest(&ask, &name),
        Route::PutManifest(name) => files::put_manifest(ask, name).await,
        Route::PutRequirements(name) => files::put_requirements(ask, name).await,
        Route::PutExternal(name) => files::put_external(ask, name).await,
        Route::RegistryPublish => registry::publish(ask).await,
        Route::RegistryUnpublish => registry::unpublish(ask).await,
        Route::Updates => updates::updates(&ask),
        Route::Requirements => updates::requirements(&ask),
        Route::Search => updates::search(&ask),
        Route::Download(link) => downloads::link(&ask, &link),
        Route::IndexRegistry(view) => index_files::registry(ask, view).await,
        Route::IndexSummaries(view) => index_files::summaries(ask, view).await,
        Route::IndexChanges(view) => index_files::changes(ask, view).await,
        Route::IndexPackage(view, name) => index_files::package(ask, view, name).await,
        Route::KitFile(view, file) => kit::file(ask, view, file).await,
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
