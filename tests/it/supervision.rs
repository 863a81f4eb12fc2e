//! What systemd hears from the server, and the sockets that it hands over: played by sockets of the test itself.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::support::{TestServer, binary, free_of_flags, project, skip_installable};

const PATIENCE: Duration = Duration::from_secs(60);

/// What is heard until a message begins so; that message is the last.
fn hear_until(socket: &UnixDatagram, begin: &str) -> Vec<String> {
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last: &String| !last.starts_with(begin)) {
        let mut bytes = [0; 1000];
        let len = socket.recv(&mut bytes).unwrap_or_else(|error| panic!("no {begin} came: {error}; {heard:?}"));
        heard.push(String::from_utf8(bytes[..len].to_vec()).unwrap());
    }
    heard
}

#[test]
fn the_supervisor_hears_how_the_server_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut server =
        TestServer::with().env("NOTIFY_SOCKET", path.to_str().unwrap()).env("WATCHDOG_USEC", "300000").start();
    let heard = hear_until(&socket, "READY=1");
    assert!(heard[..heard.len() - 1].iter().all(|told| told.starts_with("EXTEND_TIMEOUT_USEC=")), "{heard:?}");
    assert!(heard.last().unwrap().contains("STATUS=0 public packages, "), "{heard:?}");
    let omni = server.omni();
    omni.make_package("kit", "public");
    omni.publish("omni/kit", "stable/1.0.0", "any/a.zip", "one");
    for _ in 0..3 {
        hear_until(&socket, "WATCHDOG=1");
    }
    let status = hear_until(&socket, "STATUS=").pop().unwrap();
    assert!(status.starts_with("STATUS=1 public packages, ") && status.contains("sent"), "{status}");
    assert!(server.stop().success());
    hear_until(&socket, "STOPPING=1\nSTATUS=stopping");
}

#[test]
fn a_watchdog_of_another_process_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut server = TestServer::with()
        .env("NOTIFY_SOCKET", path.to_str().unwrap())
        .env("WATCHDOG_USEC", "1000")
        .env("WATCHDOG_PID", "1")
        .start();
    hear_until(&socket, "READY=1");
    server.stop();
    let heard = hear_until(&socket, "STOPPING=1");
    assert!(!heard.iter().any(|told| told.contains("WATCHDOG")), "{heard:?}");
}

/// Asks on a connection of its own, as a client without patience does: what went wrong, if anything did.
fn ask(port: u16) -> Result<(), String> {
    let failed = |what: &'static str| move |error: std::io::Error| format!("{what}: {error}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(failed("connecting"))?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").map_err(failed("asking"))?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed("reading"))?;
    if answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"ready\":true") { Ok(()) } else { Err(answer) }
}

#[test]
fn a_restart_behind_a_handed_over_socket_drops_nobody() {
    let script = project().join("tests/clients/socket_starter.py");
    let folder = tempfile::tempdir().unwrap();
    let mut starter = free_of_flags(Path::new("python3"));
    starter.arg(script).arg(binary()).arg("serve").arg("--data").arg(folder.path().join("data"));
    let Ok(mut starter) = starter.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
        skip_installable("python3 is not installed here");
        return;
    };
    let mut orders = starter.stdin.take().unwrap();
    let mut said = BufReader::new(starter.stdout.take().unwrap()).lines().map(Result::unwrap);
    // As it comes: a server whose log nobody reads stands still, as any program does, when the pipe is full.
    let mut errors = starter.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        errors.read_to_string(&mut log).map(|_| log)
    });
    let port: u16 = said.next().expect("it says the port").parse().unwrap();
    let (done, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let trouble = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        ask(port)?;
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Ok::<_, String>(())
                })
            })
            .collect();
        let mut restarts = Vec::new();
        for _ in 0..3 {
            let before = answered.load(Ordering::Relaxed);
            while answered.load(Ordering::Relaxed) < before + 50 && !clients.iter().any(|client| client.is_finished()) {
                std::thread::yield_now();
            }
            orders.write_all(b"restart\n").unwrap();
            restarts.push(said.next());
        }
        let before = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < before + 50 && !clients.iter().any(|client| client.is_finished()) {
            std::thread::yield_now();
        }
        done.store(true, Ordering::Relaxed);
        let trouble: Vec<_> = clients.into_iter().filter_map(|client| client.join().unwrap().err()).collect();
        assert_eq!(restarts, vec![Some("restarted".to_owned()); 3], "{trouble:?}");
        trouble
    });
    drop(orders);
    let log = log.join().unwrap().unwrap();
    assert!(starter.wait().unwrap().success(), "{log}");
    assert!(trouble.is_empty(), "{trouble:?}\n{log}");
    assert!(answered.into_inner() > 200 && log.contains("handed over"), "{log}");
}

#[test]
fn what_is_handed_over_wrongly_is_told() {
    // The shell's own process id stays that of the server.
    let run = |script: &str| {
        let mut shell = free_of_flags(Path::new("sh"));
        let output = shell.arg("-c").arg(script).arg("sh").arg(binary()).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (status, said) = run("LISTEN_FDS=1 LISTEN_PID=$$ exec \"$1\" serve --data /dev/null/none 3</dev/null");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("handed over") && said.contains("ListenStream="), "{said}");
    let (status, said) = run("LISTEN_FDS=999999 LISTEN_PID=$$ exec \"$1\" serve --data /dev/null/none");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("more than 64 sockets"), "{said}");
    // Somebody else's: the directory is what fails.
    let (status, said) = run("LISTEN_FDS=1 LISTEN_PID=1 exec \"$1\" serve --data /dev/null/none 3</dev/null");
    assert_eq!(status, Some(1), "{said}");
    assert!(!said.contains("handed over"), "{said}");
}

#[test]
fn the_units_are_in_order() {
    let packaging = project().join("packaging");
    let folder = tempfile::tempdir().unwrap();
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        skip_installable("systemd-analyze is not installed here");
        return;
    };
    assert!(version.status.success());
    // The program is not where the unit expects it.
    for name in ["packhouse.service", "packhouse.socket"] {
        let unit = std::fs::read_to_string(packaging.join(name)).unwrap();
        let unit = unit.replace("/usr/bin/packhouse", binary().to_str().unwrap());
        std::fs::write(folder.path().join(name), unit).unwrap();
    }
    let units = ["packhouse.service", "packhouse.socket"].map(|name| folder.path().join(name));
    let verified = Command::new("systemd-analyze").arg("verify").args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let ours: Vec<_> = said.lines().filter(|line| line.contains("packhouse.s")).collect();
    assert!(ours.is_empty(), "{said}");
    let rated = Command::new("systemd-analyze").args(["security", "--offline=true"]).arg(&units[0]).output().unwrap();
    let rating = String::from_utf8_lossy(&rated.stdout).into_owned();
    let exposure = rating.lines().find_map(|line| line.split("Overall exposure level for").nth(1)?.split(": ").nth(1));
    let exposure: f64 = exposure.unwrap_or_else(|| panic!("{rating}")).split(' ').next().unwrap().parse().unwrap();
    let unit = std::fs::read_to_string(packaging.join("packhouse.service")).unwrap();
    assert!(unit.contains(&format!("rates its exposure {exposure:.1} of 10")), "the unit says another score\n{rating}");
    assert!(exposure < 2.0);
}
