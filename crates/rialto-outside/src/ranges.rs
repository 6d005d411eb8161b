//! The ranges of addresses that are no place of the public Internet, and why.
//!
//! For version 4 a table of what is closed (IANA's special-purpose registry); for version 6 the reverse, since only
//! `2000::/3` is given out: everything else is closed, and so is what is special inside. Addresses that carry one of
//! version 4 (mapped, compatible, NAT64, 6to4, Teredo, ISATAP) are judged by that one. Nothing here resolves names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of version 4: its first address, the length of its prefix, what it is for.
type Range4 = ([u8; 4], u32, &'static str);
/// The same of version 6, by its first two groups.
type Range6 = ([u16; 2], u32, &'static str);

const CLOSED_4: &[Range4] = &[
    ([0, 0, 0, 0], 8, "it stands for this machine (0.0.0.0/8)"),
    ([10, 0, 0, 0], 8, "it is private (10.0.0.0/8)"),
    (
        [100, 64, 0, 0],
        10,
        "it is shared behind a provider's NAT (100.64.0.0/10)",
    ),
    ([127, 0, 0, 0], 8, "it is this machine (loopback)"),
    (
        [168, 63, 129, 16],
        32,
        "it is a cloud's own service (168.63.129.16)",
    ),
    (
        [169, 254, 0, 0],
        16,
        "it is link-local, as clouds' metadata services are (169.254.0.0/16)",
    ),
    ([172, 16, 0, 0], 12, "it is private (172.16.0.0/12)"),
    (
        [192, 0, 0, 0],
        24,
        "it is kept for protocols (192.0.0.0/24)",
    ),
    ([192, 0, 2, 0], 24, "it is for documentation (192.0.2.0/24)"),
    ([192, 88, 99, 0], 24, "it is a 6to4 relay (192.88.99.0/24)"),
    ([192, 168, 0, 0], 16, "it is private (192.168.0.0/16)"),
    ([198, 18, 0, 0], 15, "it is for benchmarks (198.18.0.0/15)"),
    (
        [198, 51, 100, 0],
        24,
        "it is for documentation (198.51.100.0/24)",
    ),
    (
        [203, 0, 113, 0],
        24,
        "it is for documentation (203.0.113.0/24)",
    ),
    ([224, 0, 0, 0], 4, "it is multicast (224.0.0.0/4)"),
    (
        [240, 0, 0, 0],
        4,
        "it is reserved or broadcast (240.0.0.0/4)",
    ),
];

/// Outside of `2000::/3`, named for the person who reads the refusal.
const NAMED_6: &[Range6] = &[
    (
        [0x0064, 0xff9b],
        32,
        "it is a local translation (64:ff9b:1::/48)",
    ),
    ([0x0100, 0], 16, "it is discarded (100::/64)"),
    ([0xfc00, 0], 7, "it is private (fc00::/7)"),
    ([0xfe80, 0], 10, "it is link-local (fe80::/10)"),
    ([0xfec0, 0], 10, "it is site-local (fec0::/10)"),
    ([0xff00, 0], 8, "it is multicast (ff00::/8)"),
];

/// Closed inside of `2000::/3`. Teredo, in the first, is judged before.
const CLOSED_6: &[Range6] = &[
    ([0x2001, 0], 23, "it is kept for protocols (2001::/23)"),
    (
        [0x2001, 0x0db8],
        32,
        "it is for documentation (2001:db8::/32)",
    ),
    ([0x3fff, 0], 20, "it is for documentation (3fff::/20)"),
];

/// Why an address is closed to outgoing calls, or nothing if it is a public one.
pub(crate) fn closed(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => closed_4(ip),
        IpAddr::V6(ip) => closed_6(ip),
    }
}

fn closed_4(ip: Ipv4Addr) -> Option<&'static str> {
    let bits = u32::from(ip);
    let mut ranges = CLOSED_4.iter();
    let found = ranges.find(|(first, length, _)| {
        let first = u32::from(Ipv4Addr::from(*first));
        under_prefix(bits, first, *length)
    });
    found.map(|(_, _, why)| *why)
}

fn closed_6(ip: Ipv6Addr) -> Option<&'static str> {
    if ip.is_unspecified() {
        return Some("it stands for this machine (::)");
    }
    if ip.is_loopback() {
        return Some("it is this machine (loopback)");
    }
    let carried = carried(ip);
    if let Some(why) = carried.iter().flatten().find_map(|ip| closed_4(*ip)) {
        return Some(why);
    }
    let [a, b, ..] = ip.segments();
    let bits = u32::from(a) << 16 | u32::from(b);
    let among = |ranges: &[Range6]| {
        let mut ranges = ranges.iter();
        let found = ranges.find(|([a, b], length, _)| {
            under_prefix(bits, u32::from(*a) << 16 | u32::from(*b), *length)
        });
        found.map(|(_, _, why)| *why)
    };
    // Mapped and translated addresses reach what they carry; the others are ranges of their own.
    if is_translated(ip) || a == 0x2001 && b == 0 {
        return None;
    }
    if a & 0xe000 != 0x2000 {
        return among(NAMED_6).or(Some("it is not public (outside of 2000::/3)"));
    }
    among(CLOSED_6)
}

/// `::ffff:0:0/96` and `64:ff9b::/96`.
fn is_translated(ip: Ipv6Addr) -> bool {
    matches!(
        ip.segments(),
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _]
    )
}

/// The addresses of version 4 that one of version 6 carries.
fn carried(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 2] {
    let four = |high: u16, low: u16| Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match ip.segments() {
        // Mapped, compatible, translated (RFC 2765), NAT64.
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [four(high, low), None],
        // 6to4.
        [0x2002, high, low, ..] => [four(high, low), None],
        // Teredo: the server, and the client with every bit turned.
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            [four(high, low), four(!client_high, !client_low)]
        }
        // ISATAP.
        [_, _, _, _, 0 | 0x0200, 0x5efe, high, low] => [four(high, low), None],
        _ => [None, None],
    }
}

fn under_prefix(bits: u32, first: u32, length: u32) -> bool {
    let apart = bits ^ first;
    apart.leading_zeros() >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses_are_open_and_all_others_closed() {
        let table = "
            8.8.8.8                     open
            1.1.1.1                     open
            9.255.255.255               open
            11.0.0.0                    open
            100.63.255.255              open
            100.128.0.0                 open
            126.255.255.255             open
            128.0.0.0                   open
            168.63.129.15               open
            169.253.255.255             open
            169.255.0.0                 open
            172.15.255.255              open
            172.32.0.0                  open
            192.0.1.0                   open
            192.167.255.255             open
            192.169.0.0                 open
            198.17.255.255              open
            198.20.0.0                  open
            223.255.255.255             open
            0.0.0.0                     this machine
            0.1.2.3                     this machine
            10.0.0.0                    private
            10.255.255.255              private
            100.64.0.0                  NAT
            100.100.100.200             NAT
            100.127.255.255             NAT
            127.0.0.1                   loopback
            127.255.255.254             loopback
            168.63.129.16               cloud
            169.254.169.254             link-local
            169.254.0.0                 link-local
            172.16.0.0                  private
            172.31.255.255              private
            192.0.0.192                 protocols
            192.0.2.1                   documentation
            192.88.99.1                 6to4 relay
            192.168.0.1                 private
            198.18.0.0                  benchmarks
            198.19.255.255              benchmarks
            198.51.100.7                documentation
            203.0.113.7                 documentation
            224.0.0.1                   multicast
            239.255.255.255             multicast
            240.0.0.1                   reserved
            255.255.255.255             broadcast
            2606:4700:4700::1111        open
            2001:4860:4860::8888        open
            2a00::1                     open
            ::ffff:8.8.8.8              open
            64:ff9b::8.8.8.8            open
            2002:808:808::1             open
            2001:0:808:808::f7f7:f7f7   open
            2a00::5efe:808:808          open
            ::                          this machine
            ::1                         loopback
            ::ffff:127.0.0.1            loopback
            ::ffff:169.254.169.254      link-local
            ::ffff:10.0.0.1             private
            ::127.0.0.1                 loopback
            ::8.8.8.8                   not public
            ::ffff:0:127.0.0.1          loopback
            64:ff9b::127.0.0.1          loopback
            64:ff9b::a9fe:a9fe          link-local
            64:ff9b::10.1.2.3           private
            64:ff9b:1::808:808          local translation
            100::1                      discarded
            2001::1                     this machine
            2001:0:808:808::5601:5601   link-local
            2001:0:a00:1::f7f7:f7f7     private
            2001:2::1                   protocols
            2001:10::1                  protocols
            2001:20::1                  protocols
            2001:db8::1                 documentation
            2002:7f00:1::1              loopback
            2002:a9fe:a9fe::1           link-local
            2002:c0a8:101::             private
            2a00::5efe:a00:1            private
            2a00::200:5efe:7f00:1       loopback
            3fff::1                     documentation
            4000::1                     not public
            5f00::1                     not public
            fc00::1                     private
            fd00:ec2::254               private
            fe80::1                     link-local
            febf::1                     link-local
            fec0::1                     site-local
            ff02::1                     multicast
        ";
        for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (ip, want) = line.split_once(' ').unwrap();
            let told = closed(ip.parse().unwrap());
            match want.trim() {
                "open" => assert_eq!(told, None, "{ip}"),
                want => assert!(told.is_some_and(|why| why.contains(want)), "{ip}: {told:?}"),
            }
        }
    }
}
