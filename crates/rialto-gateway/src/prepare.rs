//! A caller's request as one provider takes it: the same bytes where both speak the same dialect, translated
//! where they do not. Always with a limit for the answer, since what is reserved must cover it.

use axum::body::Bytes;
use rialto_wire::dialect::{self, Inbound, Outbound, Outgoing, Peeked};
use rialto_wire::model::{Loss, Losses, ModelError};

use crate::provider::Provider;

/// What is asked of a provider.
pub(crate) struct Prepared {
    pub(crate) body: Bytes,
    /// How the answer is read, where it is translated.
    pub(crate) outgoing: Option<Outgoing>,
    pub(crate) losses: Losses,
    /// How many tokens all answers together may have.
    pub(crate) output: u64,
}

/// What a caller asks, read once and asked of one provider after another.
pub(crate) struct Asked<'a> {
    pub(crate) inbound: Inbound,
    pub(crate) path: &'a str,
    pub(crate) body: &'a Bytes,
    pub(crate) peeked: &'a Peeked,
}

impl Asked<'_> {
    /// The request for a provider that calls the model by a name of its own.
    ///
    /// # Errors
    /// When it cannot be read, or the provider's dialect cannot say it.
    pub(crate) fn for_provider(
        &self,
        provider: &Provider,
        model: &str,
    ) -> Result<Prepared, ModelError> {
        let each = self
            .peeked
            .max_tokens
            .unwrap_or(provider.terms().max_output);
        let output = each.saturating_mul(self.peeked.choices);
        let outbound = provider.dialect();
        let mut losses = Losses::default();
        if self.peeked.max_tokens.is_none() {
            losses.add(Loss::MaxTokens);
        }
        let (body, outgoing) = match self.inbound.is_same(outbound) {
            true => (self.passed(outbound, model, each)?, None),
            false => {
                let outgoing = self.translated(outbound, model, each, &mut losses)?;
                (Bytes::from(outgoing.body.clone()), Some(outgoing))
            }
        };
        Ok(Prepared {
            body,
            outgoing,
            losses,
            output,
        })
    }

    fn passed(&self, outbound: Outbound, model: &str, each: u64) -> Result<Bytes, ModelError> {
        let limit = self.peeked.max_tokens.is_none().then_some(each);
        let body = dialect::pass_request(outbound, self.peeked, (model, limit), self.body)?;
        Ok(body.into())
    }

    fn translated(
        &self,
        outbound: Outbound,
        model: &str,
        each: u64,
        losses: &mut Losses,
    ) -> Result<Outgoing, ModelError> {
        let mut request = dialect::read_request(self.inbound, self.path, self.body, losses)?;
        request.model = model.to_owned();
        request.max_tokens = Some(each);
        if matches!(outbound, Outbound::Chat(_)) && request.stream {
            // Without it, some servers tell no usage of streams.
            request.include_usage = true;
        }
        dialect::write_request(outbound, &request, losses)
    }
}
