//! What the confining process is told, as arguments: everybody can see how a program is confined (`ps`).

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::str::FromStr;

/// The first argument of a binary that is to confine itself and become a program.
pub const WORD: &str = "confined-exec";

/// How to confine, and what to become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) memory: u64,
    pub(crate) cpu_s: u64,
    pub(crate) files: u64,
    pub(crate) processes: u64,
    pub(crate) file: u64,
    pub(crate) user: Option<(u32, u32)>,
    pub(crate) ports: Option<Vec<u16>>,
    pub(crate) reads: Vec<PathBuf>,
    pub(crate) writes: Vec<PathBuf>,
    /// The program and its arguments.
    pub(crate) command: Vec<OsString>,
}

impl Order {
    pub(crate) fn to_args(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec![WORD.into()];
        for (name, value) in [
            ("memory", self.memory),
            ("cpu", self.cpu_s),
            ("files", self.files),
            ("processes", self.processes),
            ("file", self.file),
        ] {
            args.push(format!("{name}={value}").into());
        }
        if let Some((user, group)) = self.user {
            args.push(format!("user={user}:{group}").into());
        }
        if let Some(ports) = &self.ports {
            let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
            args.push(format!("ports={}", ports.join(",")).into());
        }
        for (name, paths) in [("read=", &self.reads), ("write=", &self.writes)] {
            for path in paths {
                let mut arg = OsString::from(name);
                arg.push(path);
                args.push(arg);
            }
        }
        args.push("--".into());
        args.extend(self.command.iter().cloned());
        args
    }

    /// Reads what [`Order::to_args`] wrote, after its first word.
    pub(crate) fn from_args(args: impl Iterator<Item = OsString>) -> Option<Self> {
        use std::os::unix::ffi::OsStrExt;
        let mut order = Self::default();
        let mut args = args;
        for arg in args.by_ref() {
            if arg == "--" {
                order.command = args.collect();
                return (!order.command.is_empty()).then_some(order);
            }
            let bytes = arg.as_bytes();
            let at = bytes.iter().position(|b| *b == b'=')?;
            let (name, value) = (bytes.get(..at)?, bytes.get(at + 1..)?);
            let path = || PathBuf::from(OsStr::from_bytes(value));
            let text = std::str::from_utf8(value);
            match name {
                b"memory" => order.memory = number(text.ok()?)?,
                b"cpu" => order.cpu_s = number(text.ok()?)?,
                b"files" => order.files = number(text.ok()?)?,
                b"processes" => order.processes = number(text.ok()?)?,
                b"file" => order.file = number(text.ok()?)?,
                b"user" => {
                    let (user, group) = text.ok()?.split_once(':')?;
                    order.user = Some((number(user)?, number(group)?));
                }
                b"ports" => {
                    let ports = text.ok()?.split(',').filter(|port| !port.is_empty());
                    order.ports = Some(ports.map(number).collect::<Option<_>>()?);
                }
                b"read" => order.reads.push(path()),
                b"write" => order.writes.push(path()),
                _ => return None,
            }
        }
        None
    }
}

fn number<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_understood_as_it_was_given() {
        let plain = Order {
            memory: 1 << 30,
            cpu_s: 2,
            files: 3,
            processes: 4,
            file: 5,
            command: vec!["/bin/sh".into(), "-c".into(), "a=b -- c".into()],
            ..Order::default()
        };
        let whole = Order {
            user: Some((1, 2)),
            ports: Some(vec![443, 80]),
            reads: vec!["/a=b".into(), "/c d".into()],
            writes: vec!["/e".into()],
            ..plain.clone()
        };
        let none = Order {
            ports: Some(Vec::new()),
            ..plain.clone()
        };
        for order in [plain, whole, none] {
            let args = order.to_args();
            assert_eq!(args.first().unwrap(), WORD);
            assert_eq!(Order::from_args(args.into_iter().skip(1)), Some(order));
        }
        for args in [
            &[][..],
            &["--"],
            &["memory=1"],
            &["memory=x", "--", "a"],
            &["other=1", "--", "a"],
            &["a"],
        ] {
            let args = args.iter().map(OsString::from);
            assert_eq!(Order::from_args(args), None);
        }
    }
}
