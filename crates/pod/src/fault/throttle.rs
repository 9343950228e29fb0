use std::num::NonZeroU32;

use tokio::time::Instant;

/// A token bucket: it holds one second's worth, and fills at the same rate.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: f64,
    level: f64,
    filled: Instant,
}

impl Bucket {
    pub(super) fn new(per_second: NonZeroU32, now: Instant) -> Self {
        let per_second = f64::from(per_second.get());
        Self {
            per_second,
            level: per_second,
            filled: now,
        }
    }

    /// Takes one, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.level = passed
            .mul_add(self.per_second, self.level)
            .min(self.per_second);
        self.filled = now;
        let enough = self.level >= 1.0;
        if enough {
            self.level -= 1.0;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: NonZeroU32 = NonZeroU32::new(4).unwrap();

    fn taken(bucket: &mut Bucket, now: Instant) -> usize {
        (0..100).filter(|_| bucket.take(now)).count()
    }

    #[test]
    fn a_second_s_worth_at_once_and_the_rate_from_then_on() {
        let start = Instant::now();
        let mut bucket = Bucket::new(RATE, start);

        assert_eq!(taken(&mut bucket, start), 4);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(500)), 2);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(700)), 0);
        assert_eq!(taken(&mut bucket, start + Duration::from_millis(750)), 1);
    }

    #[test]
    fn rest_saves_up_no_more_than_a_second_s_worth() {
        let start = Instant::now();
        let mut bucket = Bucket::new(RATE, start);

        assert_eq!(taken(&mut bucket, start + Duration::from_secs(3600)), 4);
    }
}
