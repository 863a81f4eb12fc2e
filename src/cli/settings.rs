//! The settings with which a server runs, and where each comes from, for those who administer it.

use super::args::ServeArgs;
use super::serve::Config;
use crate::service::{Clock, Setting, Settings};

/// All settings as they hold. `source` says of a flag where its value comes from.
pub(super) fn list(args: &ServeArgs, config: &Config, source: &dyn Fn(&str) -> &'static str) -> Settings {
    let limits = &config.limits;
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let some = |value: String| Some(value).filter(|value| !value.is_empty());
    let span = |span: std::time::Duration| Some(format!("{}ms", span.as_millis()));
    let backups = config.registry.backups.as_ref();
    let items = [
        ("data", some(config.data.display().to_string())),
        ("listen", some(config.listen.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
        ("tls-cert", path(&args.tls_cert)),
        ("tls-key", path(&args.tls_key)),
        ("public-url", args.public_url.clone()),
        ("trusted-proxy", some(args.trusted_proxy.join(", "))),
        ("max-file-size", Some(config.registry.file_bytes_max.to_string())),
        ("upload-expiry", span(config.registry.upload_expiry)),
        ("statistics-days", Some(config.registry.statistics_days.to_string())),
        ("user-quota", config.registry.quota_bytes.map(|bytes| bytes.to_string())),
        ("max-audit-entries", Some(config.registry.audit_entries_max.to_string())),
        ("backup-to", backups.map(|backups| backups.dir.display().to_string())),
        ("backup-every", backups.and_then(|backups| span(backups.every))),
        ("backup-keep", backups.map(|backups| backups.keep.to_string())),
        ("max-header-size", Some(limits.header_bytes_max.to_string())),
        ("max-connections", Some(limits.connections_max.to_string())),
        ("max-connections-per-address", Some(limits.connections_per_address_max.to_string())),
        ("header-timeout", span(limits.header_timeout)),
        ("idle-timeout", span(limits.idle_timeout)),
        ("body-timeout", span(limits.body_window)),
        ("shutdown-timeout", span(limits.shutdown_timeout)),
        ("log", Some(config.log.clone())),
        ("log-format", Some(config.log_format.as_str().to_owned())),
    ];
    let items = items.into_iter().map(|(name, value)| Setting { name, value, source: source(name) }).collect();
    Settings { version: env!("CARGO_PKG_VERSION"), started: Clock::System.now(), items }
}

#[cfg(test)]
mod tests {
    use argh::ArgsInfo;

    use super::super::args::{Command, parse};
    use super::*;

    #[test]
    fn every_flag_is_a_setting() {
        let Command::Serve(args) = parse(&["serve".to_owned()], &|_| None).unwrap().command else { panic!() };
        let settings = list(&args, &Config::check(&args).unwrap(), &|_| "default");
        let names: Vec<&str> = settings.items.iter().map(|item| item.name).collect();
        let flags = ServeArgs::get_args_info().flags.iter().map(|flag| flag.long.trim_start_matches("--"));
        assert_eq!(flags.filter(|flag| *flag != "help").collect::<Vec<_>>(), names);
    }
}
