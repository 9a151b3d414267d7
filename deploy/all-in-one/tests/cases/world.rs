//! What all cases share: a runtime, one provider, and two products: all in one process on SQLite, and
//! server and gateway joined by the link on PostgreSQL and Redis.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use shared::id::random_text;
use tokio::runtime::{Builder, Runtime};

use crate::fake::Fake;
use crate::support::joined::{Joined, start_set};
use crate::support::product::Product;
use crate::support::{Place, places};

/// Pictures in base64 are large.
const SETTINGS: [&str; 2] = ["--body-bytes-max", "33554432"];

/// Which of the two products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One process on SQLite.
    Whole,
    /// Server and gateway apart on PostgreSQL and Redis.
    Apart,
}

/// What runs for all cases.
struct World {
    whole: Product,
    apart: Product,
    _places: [Place; 2],
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime")
});

/// Waits for something from a thread that may drive the runtime already.
fn wait<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let waiting = std::thread::spawn(|| RUNTIME.block_on(work));
    waiting.join().expect("it is made")
}

static FAKE: LazyLock<Fake> = LazyLock::new(|| wait(Fake::start()));

static WORLD: LazyLock<World> = LazyLock::new(|| wait(World::make()));

/// A folder of this run; those of runs that are over are removed, since nothing ends this one.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folders = Path::new(env!("CARGO_TARGET_TMPDIR"));
    remove_folders_of_the_past(folders);
    folders.join(format!("cases-{}", std::process::id()))
});

/// A new folder that stays until a later run.
pub(crate) fn new_folder() -> PathBuf {
    let folder = FOLDER.join(random_text(8));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn remove_folders_of_the_past(folders: &Path) {
    let Ok(entries) = std::fs::read_dir(folders) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix("cases-").map(ToOwned::to_owned);
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

impl World {
    async fn make() -> Self {
        let [_, postgres] = places().await;
        let (whole, apart) = (new_folder(), new_folder());
        let places = [
            Place::at(whole, String::new(), String::new()),
            Place::at(
                apart,
                postgres.database_url.clone(),
                postgres.redis_url.clone(),
            ),
        ];
        Self {
            whole: start_set(&places[0], Joined::InProcess, &SETTINGS).await,
            apart: start_set(&places[1], Joined::OverHttp, &SETTINGS).await,
            _places: places,
        }
    }
}

/// A product on SQLite with settings of its own; it stays until the process ends.
pub(crate) async fn own_product(settings: &[&str]) -> &'static Product {
    let place = Place::at(new_folder(), String::new(), String::new());
    Box::leak(Box::new(
        start_set(&place, Joined::InProcess, settings).await,
    ))
}

/// The product that all cases share.
pub(crate) fn product(shape: Shape) -> &'static Product {
    match shape {
        Shape::Whole => &WORLD.whole,
        Shape::Apart => &WORLD.apart,
    }
}

/// The provider that all cases share.
pub(crate) fn fake() -> &'static Fake {
    &FAKE
}

/// Runs a test on the runtime that everything shares.
pub(crate) fn run(test: impl Future<Output = ()>) {
    shared::tls::install_provider();
    RUNTIME.block_on(test);
}

/// Runs a test against both products.
pub(crate) fn everywhere<Test: Future<Output = ()>>(test: impl Fn(Shape) -> Test) {
    for shape in [Shape::Whole, Shape::Apart] {
        eprintln!("--- {shape:?}");
        run(test(shape));
    }
}
