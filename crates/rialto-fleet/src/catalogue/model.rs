//! Models as facts about their architecture, and the sizes that follow from them.

use serde::{Deserialize, Serialize};

use super::{CatalogueError, Checker, Precision};

/// How attention keys and values are computed and stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Attention {
    /// Multi-head, grouped-query or multi-query attention.
    Grouped {
        /// Query heads.
        heads: u32,
        /// Key-value heads.
        kv_heads: u32,
        /// Width of one head.
        head_dim: u32,
        /// Layers that attend to everything; all of them if absent.
        full_layers: Option<u32>,
        /// Tokens the other layers attend to; zero for a recurrent state.
        window_tokens: Option<u32>,
        /// The query projection also computes an output gate.
        #[serde(default)]
        gated: bool,
    },
    /// Multi-head latent attention (DeepSeek): one compressed vector per token.
    Latent {
        /// Query heads.
        heads: u32,
        /// Rank of the query compression; zero for none.
        q_rank: u32,
        /// Rank of the key-value compression.
        kv_rank: u32,
        /// Rotary part of a key.
        rope_dim: u32,
        /// Other part of a key.
        nope_dim: u32,
        /// Width of a value head.
        v_dim: u32,
        /// Tokens attended to when an index selects them.
        sparse_topk_tokens: Option<u32>,
    },
}

/// A mixture-of-experts feed-forward layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moe {
    /// Routed experts of a layer.
    pub experts: u32,
    /// Routed experts a token visits.
    pub active: u32,
    /// Inner width of one expert.
    pub ffn: u32,
    /// Inner width of all shared experts together; zero for none.
    pub shared_ffn: u32,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name used everywhere, e.g. `llama3.1-70b`.
    pub name: String,
    /// Other spellings: repository names, benchmark names, quantised copies.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Transformer layers.
    pub layers: u32,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Tokens of the vocabulary.
    pub vocab: u32,
    /// The output head shares the embedding's matrix.
    #[serde(default)]
    pub tied_embeddings: bool,
    /// Inner width of a dense feed-forward layer.
    pub ffn: Option<u32>,
    /// Dense layers of a mixture-of-experts model.
    pub dense_layers: Option<u32>,
    /// Longest context, tokens.
    pub max_context_tokens: u32,
    /// The format its makers publish it in.
    pub native_precision: String,
    /// All parameters as published, billions.
    pub params_total_b: f64,
    /// Parameters a token uses as published, billions.
    pub params_active_b: f64,
    /// Where the numbers come from.
    pub source: String,
    /// How far to trust them.
    pub confidence: String,
    /// Remarks.
    pub notes: Option<String>,
    /// Attention.
    pub attention: Attention,
    /// Experts, if any.
    pub moe: Option<Moe>,
}

impl Model {
    /// Query heads.
    #[must_use]
    pub fn heads(&self) -> u32 {
        match self.attention {
            Attention::Grouped { heads, .. } | Attention::Latent { heads, .. } => heads,
        }
    }

    /// Key-value heads that tensor parallelism can split; one for latent attention.
    #[must_use]
    pub fn kv_heads(&self) -> u32 {
        match self.attention {
            Attention::Grouped { kv_heads, .. } => kv_heads,
            Attention::Latent { .. } => 1,
        }
    }

    /// Layers whose feed-forward part is dense.
    #[must_use]
    pub fn dense_layer_count(&self) -> u32 {
        if self.moe.is_some() {
            self.dense_layers.unwrap_or(0)
        } else {
            self.layers
        }
    }

    /// Layers whose feed-forward part is a mixture of experts.
    #[must_use]
    pub fn moe_layer_count(&self) -> u32 {
        self.layers.saturating_sub(self.dense_layer_count())
    }

    /// Parameters of one layer's attention projections.
    #[must_use]
    pub fn attention_params_per_layer(&self) -> f64 {
        let h = f64::from(self.hidden);
        match self.attention {
            Attention::Grouped {
                heads,
                kv_heads,
                head_dim,
                gated,
                ..
            } => {
                let query = if gated { 3.0 } else { 2.0 };
                h * f64::from(head_dim) * (query * f64::from(heads) + 2.0 * f64::from(kv_heads))
            }
            Attention::Latent {
                heads,
                q_rank,
                kv_rank,
                rope_dim,
                nope_dim,
                v_dim,
                ..
            } => {
                let [n, q, kv, rope, nope, v] =
                    [heads, q_rank, kv_rank, rope_dim, nope_dim, v_dim].map(f64::from);
                let query = if q > 0.0 {
                    q * (h + n * (nope + rope))
                } else {
                    h * n * (nope + rope)
                };
                query + h * (kv + rope) + kv * n * (nope + v) + n * v * h
            }
        }
    }

    /// Parameters of one dense feed-forward layer (gated: three matrices).
    #[must_use]
    pub fn dense_ffn_params_per_layer(&self) -> f64 {
        3.0 * f64::from(self.hidden) * f64::from(self.ffn.unwrap_or(0))
    }

    /// Parameters of one routed expert.
    #[must_use]
    pub fn expert_params(&self) -> f64 {
        self.moe
            .as_ref()
            .map_or(0.0, |m| 3.0 * f64::from(self.hidden) * f64::from(m.ffn))
    }

    /// Parameters of one layer's shared experts and router.
    #[must_use]
    pub fn shared_params_per_layer(&self) -> f64 {
        self.moe.as_ref().map_or(0.0, |m| {
            f64::from(self.hidden) * (3.0 * f64::from(m.shared_ffn) + f64::from(m.experts))
        })
    }

    /// Parameters of the output head.
    #[must_use]
    pub fn head_params(&self) -> f64 {
        f64::from(self.vocab) * f64::from(self.hidden)
    }

    /// All parameters, counted from the architecture (norms and biases left out).
    #[must_use]
    pub fn params_total(&self) -> f64 {
        let experts = self.moe.as_ref().map_or(0.0, |m| f64::from(m.experts));
        self.params_with(experts)
            + if self.tied_embeddings {
                0.0
            } else {
                self.head_params()
            }
    }

    /// Parameters that one token's forward pass multiplies with.
    #[must_use]
    pub fn params_active(&self) -> f64 {
        self.params_with(self.moe.as_ref().map_or(0.0, |m| f64::from(m.active)))
    }

    fn params_with(&self, experts_per_layer: f64) -> f64 {
        f64::from(self.layers) * self.attention_params_per_layer()
            + f64::from(self.dense_layer_count()) * self.dense_ffn_params_per_layer()
            + f64::from(self.moe_layer_count())
                * (self.shared_params_per_layer() + experts_per_layer * self.expert_params())
            + self.head_params()
    }

    /// Bytes of all weights in a format.
    #[must_use]
    pub fn weight_bytes(&self, precision: &Precision) -> f64 {
        let experts = self.moe.as_ref().map_or(0.0, |m| {
            f64::from(m.experts) * f64::from(self.moe_layer_count()) * self.expert_params()
        });
        let copies = if self.tied_embeddings { 1.0 } else { 2.0 };
        let heads = copies * self.head_params();
        let linear = self.params_total() - experts - heads;
        (linear * precision.linear_bits
            + experts * precision.expert_bits
            + heads * precision.head_bits)
            / 8.0
    }

    /// Layers that attend to the whole context.
    #[must_use]
    pub fn full_attention_layers(&self) -> u32 {
        match self.attention {
            Attention::Grouped { full_layers, .. } => full_layers.unwrap_or(self.layers),
            Attention::Latent { .. } => self.layers,
        }
    }

    /// Tokens that the layers without full attention look back on.
    #[must_use]
    pub fn window_tokens(&self) -> u32 {
        match self.attention {
            Attention::Grouped { window_tokens, .. } => window_tokens.unwrap_or(0),
            Attention::Latent { .. } => 0,
        }
    }

    /// Values one token adds to the cache of one layer.
    #[must_use]
    pub fn kv_values_per_layer(&self) -> f64 {
        match self.attention {
            Attention::Grouped {
                kv_heads, head_dim, ..
            } => 2.0 * f64::from(kv_heads) * f64::from(head_dim),
            Attention::Latent {
                kv_rank, rope_dim, ..
            } => f64::from(kv_rank) + f64::from(rope_dim),
        }
    }

    /// Bytes one token adds to the cache for good: layers with full attention only, before any
    /// replication by tensor parallelism.
    #[must_use]
    pub fn kv_bytes_per_token(&self, precision: &Precision) -> f64 {
        f64::from(self.full_attention_layers()) * self.kv_values_per_layer() * precision.kv_bits
            / 8.0
    }

    pub(super) fn check(&self, file: &str) -> Result<(), CatalogueError> {
        let c = Checker {
            file,
            kind: "model",
            name: &self.name,
        };
        c.text("name", &self.name)?;
        c.text("source", &self.source)?;
        c.positive("layers", f64::from(self.layers), 1e4)?;
        c.positive("hidden", f64::from(self.hidden), 1e6)?;
        c.positive("vocab", f64::from(self.vocab), 1e8)?;
        c.positive("heads", f64::from(self.heads()), 1e5)?;
        c.positive("kv_heads", f64::from(self.kv_heads()), 1e5)?;
        c.positive("params_total_b", self.params_total_b, 1e5)?;
        c.positive("params_active_b", self.params_active_b, self.params_total_b)?;
        if self.dense_layer_count() > self.layers {
            return Err(c.error("dense_layers", "exceeds the number of layers"));
        }
        if self.dense_layer_count() > 0 && self.ffn.unwrap_or(0) == 0 {
            return Err(c.error("ffn", "is missing for a model with dense layers"));
        }
        if self.full_attention_layers() > self.layers {
            return Err(c.error("full_layers", "exceeds the number of layers"));
        }
        let Some(moe) = &self.moe else { return Ok(()) };
        c.positive("moe.experts", f64::from(moe.experts), 1e5)?;
        c.positive("moe.active", f64::from(moe.active), f64::from(moe.experts))?;
        c.positive("moe.ffn", f64::from(moe.ffn), 1e6)
    }
}
