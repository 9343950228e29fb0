use std::{
    fmt,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use http::request::Parts;
use rustls::sign::SingleCertAndKey;
use tokio::time::Instant;

use super::{
    Forger, HandshakeFault, Moment, Script,
    rule::{Chance, Place, Rule},
    throttle::Bucket,
};
use crate::{Error, Fault, Port, door::Door, port::PerPort, sync::lock};

/// The rules of one pod, oldest first.
pub(crate) struct Faults {
    active: Mutex<Vec<Active>>,
    forger: Forger,
    doors: PerPort<Weak<Door>>,
}

/// A rule in force. Dropping this leaves it in force.
#[derive(Debug, Clone)]
pub struct Injected {
    faults: Arc<Faults>,
    applied: Arc<AtomicU64>,
}

struct Active {
    rule: Rule,
    /// Shared with the handle, and by that the identity of the rule.
    applied: Arc<AtomicU64>,
    skipped: u64,
    random: SplitMix,
    bucket: Option<Bucket>,
    certificate: Option<Arc<SingleCertAndKey>>,
}

impl Injected {
    /// How many times the rule struck. Connections that were [refused](Fault::Refuse) are not seen, and not counted.
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Relaxed)
    }

    /// Ends the rule. What it has begun goes on: an answer that waits, for example.
    pub fn remove(&self) {
        self.faults
            .retain(|active| !Arc::ptr_eq(&active.applied, &self.applied));
    }
}

impl Faults {
    pub(crate) fn new(forger: Forger, doors: PerPort<Weak<Door>>) -> Self {
        Self {
            active: Mutex::default(),
            forger,
            doors,
        }
    }

    pub(crate) fn inject(self: &Arc<Self>, rule: Rule) -> Result<Injected, Error> {
        rule.check()?;
        let certificate = match rule.fault {
            Fault::ServerCertificate(kind) => Some(self.forger.forge(kind)?),
            _ => None,
        };
        let bucket = match rule.fault {
            Fault::Throttle { per_second } => Some(Bucket::new(per_second, Instant::now())),
            _ => None,
        };
        let applied = Arc::<AtomicU64>::default();
        tracing::info!(%rule, "fault injected");
        let mut active = lock(&self.active);
        active.push(Active {
            random: SplitMix(rule.chance.map_or(0, |chance| chance.seed)),
            rule,
            applied: Arc::clone(&applied),
            skipped: 0,
            bucket,
            certificate,
        });
        self.settle_doors(&active);
        Ok(Injected {
            faults: Arc::clone(self),
            applied,
        })
    }

    pub(crate) fn clear(&self) {
        self.retain(|_| false);
    }

    /// What goes wrong in a handshake that begins now.
    pub(crate) fn handshake(&self, port: Port) -> Option<HandshakeFault> {
        let place = Place {
            port,
            request: None,
        };
        let (fault, certificate) = self.strike(Moment::Handshake, &place)?;
        tracing::info!(port = port.word(), %fault, "fault in the handshake");
        HandshakeFault::new(fault, certificate)
    }

    /// What goes wrong with the answer to this request.
    pub(crate) fn script(&self, port: Port, head: &Parts) -> Script {
        let place = Place {
            port,
            request: Some((&head.method, head.uri.path())),
        };
        let strike = |moment| self.strike(moment, &place).map(|(fault, _)| fault);
        Script {
            answer: strike(Moment::Answer),
            wait: strike(Moment::Wait),
            delivery: strike(Moment::Delivery),
        }
    }

    /// Applies the oldest rule that fits.
    fn strike(
        &self,
        moment: Moment,
        place: &Place<'_>,
    ) -> Option<(Fault, Option<Arc<SingleCertAndKey>>)> {
        let mut active = lock(&self.active);
        let index = active
            .iter_mut()
            .position(|active| active.rule.fault.moment() == moment && active.strikes(place))?;
        let struck = active.get(index)?;
        let what = (struck.rule.fault.clone(), struck.certificate.clone());
        let applied = struck
            .applied
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1);
        if struck
            .rule
            .times
            .is_some_and(|times| applied >= times.get())
        {
            active.remove(index);
        }
        Some(what)
    }

    fn retain(&self, keep: impl Fn(&Active) -> bool) {
        let mut active = lock(&self.active);
        active.retain(keep);
        self.settle_doors(&active);
    }

    /// Under the lock of the rules, so that the doors follow them in their order.
    fn settle_doors(&self, active: &[Active]) {
        for port in Port::ALL {
            let place = Place {
                port,
                request: None,
            };
            let refused = active
                .iter()
                .any(|active| active.rule.fault == Fault::Refuse && active.rule.fits(&place));
            if let Some(door) = self.doors.of(port).upgrade() {
                door.set_open(!refused);
            }
        }
    }
}

impl Active {
    fn strikes(&mut self, place: &Place<'_>) -> bool {
        if !self.rule.fits(place) {
            return false;
        }
        if let Some(bucket) = &mut self.bucket
            && bucket.take(Instant::now())
        {
            return false;
        }
        if self.skipped < self.rule.skip {
            self.skipped = self.skipped.saturating_add(1);
            return false;
        }
        self.rule
            .chance
            .is_none_or(|Chance { probability, .. }| self.random.next() < probability)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(lock(&self.active).iter().map(|active| &active.rule))
            .finish()
    }
}

/// Steele, Lea and Flood's generator: chances need to be repeatable, not unpredictable.
#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    /// From 0 up to, and without, 1.
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        // As many bits as an f64 holds.
        (z >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // Its first output from seed 0 is 0xE220A8397B1DCDAF.
        let first = SplitMix(0).next();

        assert_eq!(
            first,
            (0xE220_A839_7B1D_CDAF_u64 >> 11) as f64 / (1_u64 << 53) as f64
        );
    }
}
