//! Numbers and their errors, in columns.

use std::time::Duration;

#[derive(Clone, Default)]
pub struct Sample(Vec<f64>);

impl Sample {
    pub fn push(&mut self, duration: Duration) {
        self.0.push(duration.as_secs_f64());
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn mean_seconds(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The mean and its standard error.
    pub fn mean(&self) -> String {
        let (mean, n) = (self.mean_seconds(), self.0.len() as f64);
        let variance = self.0.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        format!(
            "{:.2} ms ± {:.0} %",
            mean * 1e3,
            (variance / n).sqrt() / mean * 100.0
        )
    }

    pub fn median(&self) -> String {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        format!(
            "{:.2} ms",
            sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN) * 1e3
        )
    }

    pub fn best_seconds(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    pub fn best(&self) -> String {
        format!("{:.2} ms", self.best_seconds() * 1e3)
    }
}

impl FromIterator<Duration> for Sample {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        Self(
            durations
                .into_iter()
                .map(|duration| duration.as_secs_f64())
                .collect(),
        )
    }
}

pub struct Table {
    title: String,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let header = std::iter::once("")
            .chain(columns.iter().copied())
            .map(str::to_owned)
            .collect();
        Self {
            title: title.to_owned(),
            rows: vec![header],
        }
    }

    pub fn row(&mut self, name: &str, cells: &[String]) {
        self.rows.push(
            std::iter::once(name.to_owned())
                .chain(cells.iter().cloned())
                .collect(),
        );
    }

    pub fn print(&self) {
        println!("\n{}", self.title);
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            self.rows
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        for row in &self.rows {
            let cells: Vec<String> = (0..columns)
                .map(|column| {
                    format!(
                        "{:<width$}",
                        row.get(column).map_or("", String::as_str),
                        width = width(column)
                    )
                })
                .collect();
            println!("  {}", cells.join("  ").trim_end());
        }
    }
}

/// The processor time that this process and its finished children have used, on all cores.
pub fn processor_time() -> Duration {
    let of = |who| {
        // SAFETY: the structure is plain numbers, for which zeros are valid, and the call writes no more than it.
        let usage = unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            assert!(libc::getrusage(who, &mut usage) == 0);
            usage
        };
        [usage.ru_utime, usage.ru_stime]
            .iter()
            .map(|time| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000))
            .sum::<Duration>()
    };
    of(libc::RUSAGE_SELF) + of(libc::RUSAGE_CHILDREN)
}

/// The processor, and the flags that matter here.
pub fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        cpuinfo
            .lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split(": ").nth(1))
            .unwrap_or("unknown")
    };
    let flags: Vec<&str> = field("flags")
        .split(' ')
        .filter(|flag| ["bmi2", "adx", "avx2", "avx512f", "avx512ifma", "sha_ni"].contains(flag))
        .collect();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{} (family {}, model {}), {cores} threads, {}; load {}",
        field("model name"),
        field("cpu family"),
        cpuinfo
            .lines()
            .find(|line| line.starts_with("model\t"))
            .and_then(|line| line.split(": ").nth(1))
            .unwrap_or("unknown"),
        flags.join(" "),
        load.split(' ').next().unwrap_or_default()
    )
}
