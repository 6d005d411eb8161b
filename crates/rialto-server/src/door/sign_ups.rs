//! Limits sign-ups of strangers from one address, so that none uses the whole realm's rate.
//!
//! The core knows no addresses: they are counted here, in a bounded table that is empty after a
//! restart. They are never logged or stored.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::http::{Extensions, HeaderMap};
use rialto_core::policy::Settings;
use rialto_core::reject::Code;
use rialto_core::time::{HOUR_MS, Time};

use super::problem::Refusal;
use super::serve::Peer;

/// The most addresses that are remembered; the one that has waited longest makes room.
const ADDRESSES: usize = 65_536;
/// Sign-ups an hour from one address by default.
const AN_HOUR: u32 = 10;

/// How many sign-ups an hour one address has; 0 means no limit.
pub(super) fn an_hour_from_one_address(settings: &Settings) -> u32 {
    let usual = if settings.sign_ups_per_hour == 0 {
        0
    } else {
        AN_HOUR
    };
    settings.sign_ups_per_address.unwrap_or(usual)
}

/// What counts as one address: an IPv4 address, or the 64 bits that one holder of IPv6 has at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Network {
    V4(u32),
    V6(u64),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => Self::V6(u64::try_from(v6.to_bits() >> 64).unwrap_or(u64::MAX)),
        }
    }
}

impl Network {
    /// The first 48 bits of an IPv6 address, which one holder may have; an IPv4 address as it is.
    pub(super) fn widest(self) -> Self {
        match self {
            Self::V4(_) => self,
            Self::V6(bits) => Self::V6(bits >> 16 << 16),
        }
    }
}

/// When each address has waited for its sign-ups (the generic cell rate algorithm, ITU-T I.371).
#[derive(Default)]
struct Table {
    empty_at: HashMap<Network, Time>,
    order: BTreeSet<(Time, Network)>,
}

impl Table {
    fn set(&mut self, network: Network, at: Time) {
        if let Some(old) = self.empty_at.insert(network, at) {
            self.order.remove(&(old, network));
        }
        self.order.insert((at, network));
        if self.empty_at.len() > ADDRESSES
            && let Some((_, longest)) = self.order.pop_first()
        {
            self.empty_at.remove(&longest);
        }
    }
}

/// Sign-ups by address.
#[derive(Default)]
pub(crate) struct SignUps(Mutex<Table>);

/// A sign-up that has been counted.
pub(super) struct Counted {
    network: Network,
    step_ms: u64,
}

impl SignUps {
    /// Counts a sign-up; nothing is counted where no limit is set. The time is a steady one: a clock that
    /// jumps gives nobody a new rate.
    ///
    /// # Errors
    /// [`Code::RateLimited`], with the time to wait.
    pub(super) fn count(
        &self,
        address: IpAddr,
        settings: &Settings,
        steady_ms: u64,
    ) -> Result<Option<Counted>, Refusal> {
        let now = Time(steady_ms);
        let an_hour = an_hour_from_one_address(settings);
        if an_hour == 0 {
            return Ok(None);
        }
        let step_ms = (HOUR_MS / u64::from(an_hour)).max(1);
        let network = Network::from(address).widest();
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let empty_at = table.empty_at.get(&network).copied().unwrap_or(now);
        let filled_ms = empty_at.since(now) + step_ms;
        if filled_ms > HOUR_MS {
            let detail = format!("from this address again in {} ms", filled_ms - HOUR_MS);
            return Err(Refusal::new(Code::RateLimited, detail));
        }
        table.set(network, empty_at.max(now).after(step_ms));
        Ok(Some(Counted { network, step_ms }))
    }

    /// Uncounts a refused sign-up.
    pub(super) fn take_back(&self, counted: &Counted) {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = table.empty_at.get(&counted.network).copied() {
            table.set(counted.network, Time(at.0.saturating_sub(counted.step_ms)));
        }
    }
}

/// The address of a request: the other end of its connection, or, if that is a trusted proxy, the
/// last address before it in `X-Forwarded-For`. Nothing for a request of this process.
pub(super) fn address(
    extensions: &Extensions,
    headers: &HeaderMap,
    proxies: &[IpAddr],
) -> Option<IpAddr> {
    let Peer(peer) = *extensions.get::<Peer>()?;
    let believed = |address: &IpAddr| proxies.contains(&address.to_canonical());
    let peer = peer.to_canonical();
    if !believed(&peer) {
        return Some(peer);
    }
    let lines = headers.get_all("x-forwarded-for").iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let named = lines.iter().flat_map(|line| line.split(',')).rev();
    let mut last = peer;
    for name in named {
        // What stands before something that is no address may be anybody's invention.
        let Ok(address) = name.trim().parse::<IpAddr>() else {
            break;
        };
        last = address.to_canonical();
        if !believed(&last) {
            break;
        }
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(an_hour: u32, of_one: Option<u32>) -> Settings {
        Settings {
            sign_ups_per_hour: an_hour,
            sign_ups_per_address: of_one,
            ..Settings::default()
        }
    }

    #[test]
    fn one_address_has_its_own_rate() {
        let (sign_ups, settings) = (SignUps::default(), settings(60, Some(2)));
        let count = |address: &str, at: u64| {
            let counted = sign_ups.count(address.parse().unwrap(), &settings, at);
            counted
                .map(Option::unwrap)
                .map_err(|r| r.rejection.to_string())
        };
        assert!(count("10.0.0.1", 0).is_ok());
        assert!(count("10.0.0.1", 0).is_ok());
        let told = count("10.0.0.1", 1_000).map(drop).unwrap_err();
        assert!(told.contains("again in 1799000 ms"), "{told}");
        // The same address in other words, and another one.
        assert!(count("::ffff:10.0.0.1", 1_000).is_err());
        assert!(count("10.0.0.2", 1_000).is_ok());
        assert!(count("10.0.0.1", 1_800_000).is_ok());
        assert!(count("10.0.0.1", 1_800_000).is_err());
        // A refused one is taken back.
        let counted = count("10.0.0.1", 3_600_000).unwrap();
        sign_ups.take_back(&counted);
        assert!(count("10.0.0.1", 3_600_000).is_ok());
        // IPv6 by the part that its holder cannot choose.
        assert!(count("2001:db8::1", 0).is_ok());
        assert!(count("2001:db8::ffff:2", 0).is_ok());
        assert!(count("2001:db8::3", 0).is_err());
        assert!(count("2001:db8:0:1::1", 0).is_err());
        assert!(count("2001:db8:1::1", 0).is_ok());
    }

    #[test]
    fn the_usual_rate_follows_the_realms() {
        for (settings, most) in [
            (settings(60, None), 10),
            (settings(60, Some(3)), 3),
            (settings(60, Some(0)), usize::MAX),
            (settings(0, None), usize::MAX),
            (settings(0, Some(1)), 1),
        ] {
            let sign_ups = SignUps::default();
            let address: IpAddr = "10.0.0.1".parse().unwrap();
            let taken = (0..100)
                .take_while(|_| sign_ups.count(address, &settings, 5).is_ok())
                .count();
            assert_eq!(taken, most.min(100));
        }
    }

    #[test]
    fn the_table_is_bounded() {
        let (sign_ups, settings) = (SignUps::default(), settings(60, Some(1)));
        let first: IpAddr = "10.0.0.1".parse().unwrap();
        sign_ups.count(first, &settings, 0).unwrap();
        for n in 0..u32::try_from(ADDRESSES).unwrap() {
            let address = IpAddr::from((0xc000_0000 + n).to_be_bytes());
            sign_ups.count(address, &settings, 1).unwrap();
        }
        let table = sign_ups.0.lock().unwrap();
        assert_eq!(table.empty_at.len(), ADDRESSES);
        assert_eq!(table.order.len(), ADDRESSES);
        assert!(!table.empty_at.contains_key(&Network::from(first)));
    }

    #[test]
    fn proxies_are_believed_when_they_are_named() {
        let proxies: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "10.0.0.9".parse().unwrap()];
        for (peer, forwarded, want) in [
            ("192.0.2.1", None, "192.0.2.1"),
            ("192.0.2.1", Some("198.51.100.7"), "192.0.2.1"),
            ("127.0.0.1", None, "127.0.0.1"),
            ("127.0.0.1", Some("198.51.100.7"), "198.51.100.7"),
            ("::ffff:127.0.0.1", Some("198.51.100.7"), "198.51.100.7"),
            (
                "127.0.0.1",
                Some("203.0.113.5, 198.51.100.7, 10.0.0.9"),
                "198.51.100.7",
            ),
            (
                "127.0.0.1",
                Some("203.0.113.5, nonsense, 10.0.0.9"),
                "10.0.0.9",
            ),
            ("127.0.0.1", Some("2001:db8::1"), "2001:db8::1"),
        ] {
            let mut extensions = Extensions::new();
            extensions.insert(Peer(peer.parse().unwrap()));
            let mut headers = HeaderMap::new();
            if let Some(forwarded) = forwarded {
                headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            }
            let found = address(&extensions, &headers, &proxies);
            assert_eq!(found, Some(want.parse().unwrap()), "{peer} {forwarded:?}");
        }
        assert_eq!(
            address(&Extensions::new(), &HeaderMap::new(), &proxies),
            None
        );
    }
}
