//! `bulkhead serve`: the web server.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use bulkhead_content::{Course, Grammars};
use clap::Args;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use super::{
    course,
    data::{DataOptions, Lock},
    exit::{CliError, CliResult, Outcome, machine},
    images::LabsOption,
    out,
};
use crate::{
    backend::Platform,
    clock::Clock,
    config::{Config, Mode, Origin, PasswordCost},
    http,
    live::{Live, Needs, engine::LateEngine, images::Images, sandboxes::Places},
    random::Random,
    store::{Dialect, Store},
};

/// For requests under way, and then for sandboxes that are stopped with the server.
const LAST_REQUESTS: Duration = Duration::from_secs(5);
const LAST_SANDBOXES: Duration = Duration::from_secs(20);

#[derive(Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line, and no two exclude each other"
)]
pub(super) struct Options {
    /// For one person on this machine: loopback only, signed in at once.
    #[arg(long)]
    local: bool,
    #[arg(long, env = "BULKHEAD_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    #[command(flatten)]
    data: DataOptions,
    /// The address at which browsers reach this server, such as <https://labs.example.org>.
    #[arg(long, env = "BULKHEAD_PUBLIC_URL", conflicts_with = "local")]
    public_url: Option<Origin>,
    /// Take clients' addresses from the last entry of X-Forwarded-For: a proxy that you trust stands in front.
    #[arg(long)]
    behind_proxy: bool,
    /// Accounts are made by `bulkhead user create` alone.
    #[arg(long)]
    no_sign_up: bool,
    #[command(flatten)]
    labs: LabsOption,
    /// A folder of lessons, in place of those that the binary brings.
    #[arg(long, env = "BULKHEAD_COURSE")]
    course: Option<PathBuf>,
    /// Sandboxes at once, on this engine.
    #[arg(long, env = "BULKHEAD_PLACES", default_value_t = Places::default().total)]
    places: usize,
    /// Sandboxes that are made at once.
    #[arg(long, env = "BULKHEAD_MAKING", default_value_t = Places::default().making, value_parser = at_least_one)]
    making: usize,
    /// Sandboxes end with the server. Without it they live on, and the next server takes them up.
    #[arg(long)]
    stop_sandboxes_on_exit: bool,
    /// The built site, in place of the one that the binary brings.
    #[arg(long, env = "BULKHEAD_SITE", hide = true)]
    site: Option<PathBuf>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("a number from 1 up".to_owned()),
        Ok(number) => Ok(number),
    }
}

pub(super) async fn run(options: Options) -> CliResult {
    let config = config(&options)?;
    options.data.make_folder()?;
    let _lock = match config.database.dialect() {
        Dialect::Sqlite => Some(Lock::take(&config.data)?),
        Dialect::Postgres => None,
    };
    // For the course and the labs' texts. Nothing is rendered later.
    let grammars = Grammars::hold();
    let course = Arc::new(course(&options)?);
    let store = Store::open(&config.database).await.map_err(machine)?;
    // Bound before anything is taken up, so that a port in use changes nothing.
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|error| CliError::Machine(format!("cannot listen on {}: {error}", config.listen).into()))?;
    let (clock, random) = (Clock::system(), Random::system());
    let live = live(&options, &store, &clock, &random, Arc::clone(&course)).await?;
    drop(grammars);
    let platform = Platform::new(config, clock, random, store.clone(), course, live.clone()).map_err(machine)?;
    let platform = Arc::new(platform);
    tokio::spawn(Arc::clone(&platform).upkeep());
    // Whoever reads the address may end the server at once, and that is an end in order.
    let ending = Ending::listen()?;
    greet(&options, listener.local_addr().map_err(machine)?);
    serve(platform, listener, &live, ending).await?;
    if options.stop_sandboxes_on_exit && !live.sandboxes.stop_all(LAST_SANDBOXES).await.map_err(machine)? {
        tracing::warn!("some sandboxes are still there; the next server takes them up");
    }
    live.sandboxes.leave().await.map_err(machine)?;
    store.close().await;
    Ok(Outcome::Fine)
}

fn config(options: &Options) -> CliResult<Config> {
    if options.local && !options.listen.ip().is_loopback() {
        return Err(CliError::Usage(format!(
            "--local signs everybody in, so it answers on loopback only: use --listen 127.0.0.1:{}, or leave --local out",
            options.listen.port()
        )));
    }
    Ok(Config {
        data: options.data.data.clone(),
        database: options.data.database()?,
        listen: options.listen,
        mode: if options.local { Mode::Local } else { Mode::Public { origin: options.public_url.clone() } },
        behind_proxy: options.behind_proxy,
        sign_up: !options.no_sign_up,
        password_cost: PasswordCost::Production,
        site: options.site.clone(),
    })
}

fn course(options: &Options) -> CliResult<Course> {
    let course = Course::parse(&course::files(options.course.as_deref())?).map_err(|findings| {
        let errors: Vec<String> =
            findings.iter().filter(|finding| finding.is_error()).map(ToString::to_string).collect();
        CliError::Machine(format!("the course has faults:\n{}", errors.join("\n")).into())
    })?;
    for finding in &course.warnings {
        tracing::debug!("{finding}");
    }
    Ok(course)
}

async fn live(
    options: &Options,
    store: &Store,
    clock: &Clock,
    random: &Random,
    course: Arc<Course>,
) -> CliResult<Live> {
    let installed = options.labs.installed();
    let catalog = installed.catalog().map_err(machine)?;
    for finding in catalog.diagnostics() {
        tracing::warn!("{finding}");
    }
    let images = installed.images(&catalog).unwrap_or_else(|error| {
        tracing::warn!(%error, "labs cannot be started: their sandbox images cannot be named");
        Images::default()
    });
    let instance = store.sandboxes().key("instance", &random.hex::<6>()).await.map_err(machine)?;
    let engine = LateEngine::new(instance);
    match engine.engine().await {
        Ok(engine) => tracing::info!(socket = engine.socket(), "the container engine answers"),
        Err(error) => tracing::warn!("labs cannot be started yet: {error}"),
    }
    let needs = Needs {
        store: store.clone(),
        clock: clock.clone(),
        random: random.clone(),
        engine: Arc::new(engine),
        catalog,
        images,
        course,
        places: Places { total: options.places, making: options.making, ..Places::default() },
    };
    Live::start(needs).await.map_err(machine)
}

fn greet(options: &Options, address: SocketAddr) {
    out::say(&format!("Bulkhead serves at http://{address}/"));
    if options.local {
        out::say("You are signed in as the local learner. Nobody but this machine can reach it. Ctrl-C ends it.");
    } else if let Some(origin) = &options.public_url {
        out::say(&format!("Browsers reach it at {origin}"));
    }
}

async fn serve(platform: Arc<Platform>, listener: TcpListener, live: &Live, mut ending: Ending) -> CliResult<()> {
    let (live, closing) = (live.clone(), live.closing());
    let stop = async move {
        ending.asked().await;
        tracing::info!("ending");
        live.close();
    };
    let serving = http::serve(platform, listener, stop);
    let late = async {
        closing.cancelled().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    };
    tokio::select! {
        served = serving => served.map_err(machine),
        () = late => Ok(()),
    }
}

/// SIGTERM and ctrl-c, heard from the moment that this is made.
struct Ending {
    terminate: Signal,
    interrupt: Signal,
}

impl Ending {
    fn listen() -> CliResult<Self> {
        let terminate = signal(SignalKind::terminate()).map_err(machine)?;
        Ok(Self { terminate, interrupt: signal(SignalKind::interrupt()).map_err(machine)? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
