//! Why a call has no answer. Holds no words of any protocol, and never a path, a query or a secret.

use std::error::Error;
use std::io;
use std::time::Duration;

use rialto_core::reject::Code;

/// Why a call was not made, or its answer did not come or not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The address is of no form that is called.
    #[error("the address cannot be called: {0}")]
    Address(&'static str),
    /// The guard refuses the destination.
    #[error("calls to {host} are closed: {why}")]
    Closed {
        /// The host as it was named.
        host: String,
        /// What its address is.
        why: &'static str,
    },
    /// No connection, or it broke: the innermost cause, which tells a person what to fix.
    #[error("{0}")]
    Broken(String),
    /// The answer did not begin in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Late(Duration),
    /// The answer did not end in time.
    #[error("the answer did not end within {} s", .0.as_secs_f64())]
    Endless(Duration),
    /// A body is longer than this call allows.
    #[error("the {what} has more than {limit} bytes")]
    TooLarge {
        /// Which of the two.
        what: &'static str,
        /// The most that it may have, in bytes.
        limit: u64,
    },
    /// No place for one more call in time.
    #[error("too many calls are outstanding, in all or to this host")]
    Busy,
    /// One redirect too many, or one that is not followed.
    #[error("it redirects {0}")]
    Redirected(&'static str),
}

impl CallError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Address(_) => Code::OutgoingAddress,
            Self::Closed { .. } => Code::OutgoingClosed,
            Self::Broken(_) | Self::Redirected(_) => Code::OutgoingBroken,
            Self::Late(_) | Self::Endless(_) => Code::OutgoingLate,
            Self::TooLarge { .. } => Code::OutgoingTooLarge,
            Self::Busy => Code::OutgoingBusy,
        }
    }

    /// The error of this kind that caused another, such as that of reading a body; else its innermost cause.
    #[must_use]
    pub fn behind(error: &(dyn Error + 'static)) -> Self {
        let mut cause = error;
        loop {
            if let Some(own) = cause.downcast_ref::<Self>() {
                return own.clone();
            }
            // What an error of I/O wraps is not its source.
            let wrapped = cause
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            let deeper = wrapped.map(|inner| inner as &(dyn Error + 'static));
            match deeper.or(cause.source()) {
                Some(deeper) => cause = deeper,
                None => return Self::Broken(cause.to_string()),
            }
        }
    }
}

/// The innermost cause of an error, in its own words.
#[must_use]
pub fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_cause_is_told() {
        let io = std::io::Error::other(std::io::Error::other("no provider"));
        assert_eq!(root_cause(&io), "no provider");
        assert_eq!(
            CallError::behind(&io),
            CallError::Broken("no provider".to_owned())
        );
        let own = std::io::Error::other(CallError::Busy);
        assert_eq!(CallError::behind(&own), CallError::Busy);
    }
}
