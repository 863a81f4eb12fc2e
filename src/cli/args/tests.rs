//! Command lines that people write, and what they get.

use super::*;
use crate::cli::units::ByteSize;
use crate::model::Scope;

fn parsed(line: &str) -> Result<Command, Early> {
    let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
    parse(&words, &|_| None).map(|(args, _)| args.command)
}

fn usage(line: &str) -> String {
    match parsed(line) {
        Err(Early::Usage { problem, hint }) => format!("{problem}\n{hint}"),
        other => panic!("{line}: {other:?}"),
    }
}

fn text(line: &str) -> String {
    match parsed(line) {
        Err(Early::Text(text)) => text,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn defaults_are_as_documented() {
    let Command::Serve(serve) = parsed("serve").unwrap() else { panic!() };
    assert_eq!(serve.data, PathBuf::from("./packhouse-data"));
    assert!(serve.listen.is_empty() && serve.max_file_size.is_none());
    let Command::Publish(publish) = parsed("publish u f --package omni.foo --version 1").unwrap() else { panic!() };
    assert_eq!((publish.channel, publish.platform.as_str()), (None, "any"));
    assert!(!publish.draft && !publish.json);
    let Command::Updates(updates) = parsed("updates u --id omni.foo").unwrap() else { panic!() };
    assert_eq!((updates.mode, updates.channel, updates.version), (UpdateMode::Newest, None, None));
}

#[test]
fn values_are_read_as_what_they_are() {
    let line = "serve --listen=[::]:443 --listen 1.2.3.4:80 --max-file-size=4GiB --header-timeout 10s --trusted-proxy=10.0.0.0/8";
    let Command::Serve(serve) = parsed(line).unwrap() else { panic!() };
    assert_eq!(serve.listen, ["[::]:443".parse().unwrap(), "1.2.3.4:80".parse().unwrap()]);
    assert_eq!(serve.max_file_size, Some(ByteSize(4 << 30)));
    assert_eq!(serve.trusted_proxy, ["10.0.0.0/8"]);
    let line = "token add omni --scope publish --scope read --expires 2027-01-01T00:00:00Z --name ci";
    let Command::Token(TokenArgs { command: TokenCommand::Add(token) }) = parsed(line).unwrap() else { panic!() };
    assert_eq!(token.scope, [Scope::Publish, Scope::Read]);
    assert_eq!(token.name.unwrap().as_str(), "ci");
    assert!(token.expires.is_some());
    let Command::User(UserArgs { command: UserCommand::Add(user) }) = parsed("user add omni --admin").unwrap() else {
        panic!()
    };
    assert!(user.admin && user.name.as_str() == "omni");
}

#[test]
fn wrong_usage_is_told_with_what_would_be_right() {
    for (line, hint) in [
        ("", "One of the following subcommands must be present"),
        ("server", "Unrecognized argument: server"),
        ("serve --listen 8080", "127.0.0.1:8080"),
        ("serve --max-file-size big", "as in 4GiB"),
        ("publish u f --version 1", "--package"),
        ("publish u", "file"),
        ("publish u f --package foo --version 1", "NAMESPACE.NAME"),
        ("publish u f --package omni.foo --version ä", "a version has 1 to 64 characters"),
        ("updates u --id omni.foo --mode 3", "the mode is 1"),
        ("token add omni --scope all", "read, publish or admin"),
        ("sync u d --what", "Unrecognized argument: --what"),
        ("pubilsh u f", "Did you mean publish?"),
        ("serve --lisen 1.2.3.4:5", "Did you mean --listen?"),
        ("user ad omni", "Did you mean add?"),
        ("user add", "see `packhouse user add --help`"),
    ] {
        let text = usage(line);
        assert!(text.contains(hint), "{line}: {text}");
    }
}

#[test]
fn version_and_help_are_texts() {
    assert_eq!(text("--version"), format!("packhouse {}\n", env!("CARGO_PKG_VERSION")));
    assert!(text("--help").contains("publish"));
    assert!(text("sync --help").contains("packhouse sync https://packages.example.com ./index"));
    assert!(text("user add --help").contains("--admin"));
}

#[test]
fn the_help_names_every_variable_that_counts() {
    let help = text("install --help");
    let note = "\n  In the environment: PACKHOUSE_TOKEN, PACKHOUSE_URL, PACKHOUSE_CHANNEL, PACKHOUSE_PLATFORM, \
        PACKHOUSE_INDEX, PACKHOUSE_TOKEN_FILE, PACKHOUSE_CA_FILE, PACKHOUSE_JSON. What is on the command line wins.\n";
    assert!(help.ends_with(note), "{help}");
    let help = text("user password --help");
    assert!(
        help.ends_with("\nNotes:\n  In the environment: PACKHOUSE_DATA. What is on the command line wins.\n"),
        "{help}"
    );
    assert!(!text("user --help").contains("environment"));
    let serve = ServeArgs::get_args_info();
    for flag in serve.flags.iter().filter(|flag| !["--help", "--print-config"].contains(&flag.long)) {
        assert!(prepass::variable(prepass::long_name(flag)).is_some(), "{} has no variable", flag.long);
    }
}

#[test]
fn the_environment_completes_a_command_line() {
    let words = ["serve".to_owned()];
    let look_up = |name: &str| (name == "PACKHOUSE_LISTEN").then(|| "0.0.0.0:1,[::1]:2".to_owned());
    let Command::Serve(serve) = parse(&words, &look_up).unwrap().0.command else { panic!() };
    assert_eq!(serve.listen.len(), 2);
}
