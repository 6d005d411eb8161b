//! What is deployed, by the name under which models are called: a copy of the realm's own table, read again
//! when that has changed. Never decides who may call what; it only spares asking in vain.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rialto_core::id::{DeploymentId, OwnerId};
use rialto_core::model::{Deployment, OpenTo};
use rialto_core::reject::Rejection;
use tokio::sync::Mutex;

use crate::meter::Meter;

/// A deployment, as it stood when it was read.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    pub(crate) id: DeploymentId,
    pub(crate) terms: Arc<Deployment>,
}

impl Deployed {
    fn is_open_to(&self, owner: Option<OwnerId>) -> bool {
        self.terms.open_to == OpenTo::Everyone || owner == Some(self.terms.owner)
    }
}

#[derive(Default)]
struct Read {
    version: Option<u64>,
    by_model: HashMap<String, Vec<Deployed>>,
}

/// The copy.
#[derive(Default)]
pub(crate) struct Catalogue {
    kept: RwLock<Arc<Read>>,
    /// Held by whoever reads the table again, so that many calls after one change read it once.
    reading: Mutex<()>,
}

impl Catalogue {
    /// The deployments of a model that an owner's agents may call.
    pub(crate) async fn serving(
        &self,
        meter: &dyn Meter,
        owner: Option<OwnerId>,
        model: &str,
    ) -> Result<Vec<Deployed>, Rejection> {
        let read = self.read(meter).await?;
        let all = read.by_model.get(model).into_iter().flatten();
        Ok(all.filter(|it| it.is_open_to(owner)).cloned().collect())
    }

    /// The models that an owner's agents may call, in alphabetical order, each with one of its deployments.
    pub(crate) async fn models(
        &self,
        meter: &dyn Meter,
        owner: Option<OwnerId>,
    ) -> Result<Vec<(String, Deployed)>, Rejection> {
        let read = self.read(meter).await?;
        let open = read.by_model.iter().filter_map(|(model, all)| {
            let one = all.iter().find(|it| it.is_open_to(owner))?;
            Some((model.clone(), one.clone()))
        });
        let mut models: Vec<_> = open.collect();
        models.sort_by(|one, two| one.0.cmp(&two.0));
        Ok(models)
    }

    async fn read(&self, meter: &dyn Meter) -> Result<Arc<Read>, Rejection> {
        let current = || Some(self.kept()).filter(|kept| kept.version == Some(meter.version()));
        if let Some(kept) = current() {
            return Ok(kept);
        }
        let _reading = self.reading.lock().await;
        if let Some(kept) = current() {
            return Ok(kept);
        }
        let offered = meter.offered().await?;
        let mut by_model: HashMap<String, Vec<Deployed>> = HashMap::new();
        for (id, terms) in offered.all {
            let same = by_model.entry(terms.model.to_string()).or_default();
            let terms = Arc::new(terms);
            same.push(Deployed { id, terms });
        }
        for same in by_model.values_mut() {
            same.sort_by_key(|it| it.id);
        }
        let read = Arc::new(Read {
            version: Some(offered.version),
            by_model,
        });
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        *kept = read.clone();
        Ok(read)
    }

    fn kept(&self) -> Arc<Read> {
        self.kept
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
