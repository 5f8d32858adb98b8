//! What tour.c does, through Rust's std.
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where the preview 1 adapter of a component gets its memory. Without it the adapter takes a page that
/// older C libraries, as the one beneath this std, believe to be part of their heap.
///
/// # Safety
/// `old` is what it gave before, or null.
#[no_mangle]
pub unsafe extern "C" fn cabi_realloc(
    old: *mut u8, old_size: usize, align: usize, size: usize,
) -> *mut u8 {
    use std::alloc::{alloc, realloc, Layout};
    if old.is_null() {
        alloc(Layout::from_size_align_unchecked(size, align))
    } else {
        realloc(old, Layout::from_size_align_unchecked(old_size, align), size)
    }
}

fn outcome<T>(result: io::Result<T>) -> String {
    match result {
        Ok(_) => "done".to_string(),
        Err(error) => format!("{:?}", error.kind()),
    }
}

fn content() -> io::Result<()> {
    let mut file = File::open("/host.txt")?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    println!("text: {:?}", text);
    println!("position: {}", file.seek(SeekFrom::End(-4))?);
    let mut rest = [0; 10];
    println!("rest: {}", file.read(&mut rest)?);
    println!("length: {}", file.metadata()?.len());
    let lines = io::BufReader::new(File::open("/host.txt")?).lines().count();
    println!("lines: {}", lines);
    let large = fs::read("/folder/large")?;
    let sum = large.iter().fold(0u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(*byte))
    });
    println!("large: {} bytes, sum {:x}", large.len(), sum);
    let meta = fs::metadata("/host.txt")?;
    let modified = meta.modified()?.duration_since(UNIX_EPOCH).unwrap();
    println!("modified: {}", modified.as_secs());
    println!("link: {}", fs::symlink_metadata("/link")?.file_type().is_symlink());
    println!("target: {:?}", fs::read_link("/link")?);
    Ok(())
}

fn listing(path: &str) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        names.push(format!("{:?} {}", entry.file_name(), entry.file_type()?.is_dir()));
    }
    names.sort();
    println!("{}: {} {:?}", path, names.len(), &names[..names.len().min(8)]);
    Ok(())
}

fn refusals() {
    println!("missing: {}", outcome(File::open("/missing")));
    println!("create: {}", outcome(File::create("/new")));
    println!("append: {}", outcome(OpenOptions::new().append(true).open("/host.txt")));
    println!("mkdir: {}", outcome(fs::create_dir("/new")));
    println!("remove: {}", outcome(fs::remove_file("/host.txt")));
    println!("rename: {}", outcome(fs::rename("/host.txt", "/x")));
    println!("out: {}", outcome(File::open("/out/secret")));
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    println!("arguments: {:?}", arguments);
    println!("KEY: {:?}", std::env::var("KEY"));
    println!("variables: {}", std::env::vars().count());
    eprintln!("to stderr");
    if let Err(error) = content() {
        println!("content: {:?}", error.kind());
    }
    for path in ["/", "/folder"] {
        if let Err(error) = listing(path) {
            println!("{}: {:?}", path, error.kind());
        }
    }
    refusals();
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    println!("slept: {}", start.elapsed() >= Duration::from_millis(20));
    println!("past: {}", SystemTime::now() > UNIX_EPOCH + Duration::from_secs(1_700_000_000));
    let map: HashMap<u32, u32> = (0..100).map(|k| (k, k * k)).collect();
    println!("squares: {}", map.values().sum::<u32>());
    let mut input = String::new();
    io::stdin().read_to_string(&mut input)?;
    println!("stdin: {:?}", input);
    io::stdout().flush()?;
    std::process::exit(arguments.first().map_or(0, |code| code.parse().unwrap_or(1)));
}
