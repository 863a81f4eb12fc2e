//! The real server, killed again and again in the middle of its work, on one and the same directory.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use packhouse::service::{Clock, Registry, RegistryConfig};

use super::load::{Dice, Worker, check_index, make_token, together};
use super::world::check_stored;
use crate::support::TestServer;

const KILLS: usize = 50;
/// What a start after a kill may take. A debug build under the load of other tests needs some ten milliseconds.
const READY_MAX: Duration = Duration::from_secs(5);

/// How long a kill waits for something to be acknowledged first.
const ANSWERS_MAX: Duration = Duration::from_secs(5);

/// The seed of everything that happens here: that of `PACKHOUSE_TEST_SEED`, or the time.
fn seed() -> u64 {
    let given = std::env::var("PACKHOUSE_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        since.as_micros() as u64
    });
    println!("PACKHOUSE_TEST_SEED={seed}");
    seed
}

/// Opens the directory of a stopped server and checks that it holds what the reference does and nothing else.
pub(super) fn check_directory(data: &Path, workers: &[Worker]) {
    let registry = Registry::open(data, RegistryConfig::default(), Clock::System).unwrap();
    check_stored(&registry, &together(workers), "in the end");
    registry.close();
}

#[test]
fn a_killed_server_has_everything_it_acknowledged_and_nothing_half() {
    let begin = Instant::now();
    let mut dice = Dice(seed());
    let mut server = TestServer::start();
    let token = make_token(&server);
    let mut workers: Vec<Worker> =
        ["one", "two", "three", "four"].into_iter().map(|package| Worker::new(package, dice.below(1 << 40))).collect();
    let (mut ready, mut in_doubt, mut downloaded) = (Vec::new(), 0, 0);
    let answers = AtomicU64::new(0);
    for kill in 1..=KILLS {
        let wires: Vec<_> = workers.iter().map(|_| server.connect()).collect();
        std::thread::scope(|scope| {
            for (worker, mut wire) in workers.iter_mut().zip(wires) {
                let (token, answers) = (&token, &answers);
                scope.spawn(move || worker.work(&mut wire, token, answers));
            }
            std::thread::sleep(Duration::from_micros(1_000 + dice.below(250_000)));
            // Where others use the machine, that may have been too short for much to happen.
            let (enough, patience) = (answers.load(Ordering::Relaxed) + dice.below(12), Instant::now() + ANSWERS_MAX);
            while answers.load(Ordering::Relaxed) < enough && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(1));
            }
            server.kill();
        });
        let restart = Instant::now();
        server.restart();
        ready.push(restart.elapsed());
        assert!(restart.elapsed() < READY_MAX, "kill {kill}: ready after {:?}", restart.elapsed());
        let (when, client) = (format!("kill {kill}"), server.bearer(&token));
        in_doubt += workers.iter().filter(|worker| worker.after.is_some()).count();
        for worker in &mut workers {
            worker.settle(&client, &when);
            // A look at everything after each kill would take most of the time.
            let all = kill % 10 == 0;
            downloaded += worker.check_downloads(&client, || all || dice.below(4) == 0, &when);
        }
        check_index(&server, &together(&workers), &when);
    }
    let answers = answers.into_inner();
    assert!(answers > KILLS as u64 * 4, "only {answers} answers came");
    ready.sort();
    println!(
        "{KILLS} kills in {:.1?}: {answers} operations acknowledged, {in_doubt} cut short, {} MB downloaded and \
         compared; ready after {:.1?} (median), {:.1?} (longest)",
        begin.elapsed(),
        downloaded / 1_000_000,
        ready[KILLS / 2],
        ready[KILLS - 1],
    );
    assert!(server.stop().success());
    check_directory(server.data(), &workers);
}
