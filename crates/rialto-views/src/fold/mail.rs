//! Conversations, their members, and messages.

use rialto_core::id::{AgentId, ConversationId, MessageId};
use rialto_core::mail::MailEvent;
use rialto_core::market::MarketEvent;
use rusqlite::params;

use super::texts::{self, Way};
use super::{Folding, text_id, word};
use crate::Result;
use crate::db::{int, kind_of};

impl Folding<'_> {
    pub(super) fn mail(&mut self, event: &MailEvent) -> Result<()> {
        match event {
            MailEvent::ConversationOpened {
                conversation,
                kind,
                by,
                members,
                title,
            } => {
                let title = text_id(title.as_ref());
                self.run(
                    "INSERT INTO conversation VALUES(?, ?, ?, ?, ?)",
                    (
                        int(conversation.0),
                        word(kind),
                        int(by.0),
                        title,
                        self.now(),
                    ),
                )?;
                self.join(*conversation, members)
            }
            MailEvent::MessageSent { .. } => self.message_sent(event),
            MailEvent::GroupChanged {
                conversation,
                added,
                removed,
                ..
            } => {
                for agent in removed {
                    self.leave(*conversation, *agent)?;
                }
                self.join(*conversation, added)
            }
            MailEvent::RequestAnswered { by, stranger, .. } => self.no_request(*by, *stranger),
            MailEvent::ContactLapsed { receiver, sender } => self.no_request(*receiver, *sender),
            // Erasing is of the texts, which take the words out of the index.
            MailEvent::Erased { .. }
            // What is acknowledged or was trimmed is the inbox's, which memory answers.
            | MailEvent::Acknowledged { .. }
            | MailEvent::Trimmed { .. }
            | MailEvent::Cleared { .. }
            | MailEvent::LanesOpened
            // Leaving memory is memory's, not history's.
            | MailEvent::ConversationClosed { .. } => Ok(()),
        }
    }

    /// Who has struck a deal may write.
    pub(super) fn met(&self, event: &MarketEvent) -> Result<()> {
        let MarketEvent::DealAgreed { buyer, seller, .. } = event else {
            return Ok(());
        };
        self.no_request(*buyer, *seller)?;
        self.no_request(*seller, *buyer)
    }

    /// A first message no longer waits.
    fn no_request(&self, receiver: AgentId, sender: AgentId) -> Result<()> {
        self.run(
            "DELETE FROM contact_request WHERE receiver = ? AND sender = ?",
            (int(receiver.0), int(sender.0)),
        )
    }

    /// A stranger's first message waits; writing to somebody answers their request.
    fn requested(
        &self,
        message: MessageId,
        conversation: ConversationId,
        from: AgentId,
        request: bool,
    ) -> Result<()> {
        let (message, conversation, from) = (int(message.0), int(conversation.0), int(from.0));
        if request {
            return self.run(
                "INSERT OR REPLACE INTO contact_request
                 SELECT m.agent, ?1, a.owner, ?2 FROM member m JOIN kin a ON a.kind = ?4 AND a.id = m.agent
                 WHERE m.conversation = ?3 AND m.agent <> ?1",
                (from, message, conversation, kind_of(AgentId::PREFIX)),
            );
        }
        self.run(
            "DELETE FROM contact_request WHERE receiver = ?1
             AND EXISTS(SELECT 1 FROM conversation WHERE id = ?2 AND kind = 'direct')
             AND sender IN (SELECT agent FROM member WHERE conversation = ?2)",
            (from, conversation),
        )
    }

    /// Members see what is sent from now on.
    fn join(&self, conversation: ConversationId, agents: &[AgentId]) -> Result<()> {
        let low = int(rialto_core::id::number(self.position, 0));
        for agent in agents {
            self.run(
                "INSERT OR IGNORE INTO member VALUES(?, ?, ?, ?)",
                (int(conversation.0), int(agent.0), low, i64::MAX),
            )?;
        }
        Ok(())
    }

    /// Who has left keeps seeing what it was sent.
    fn leave(&self, conversation: ConversationId, agent: AgentId) -> Result<()> {
        let high = int(rialto_core::id::number(self.position, 0));
        self.run(
            "UPDATE member SET high = ? WHERE conversation = ? AND agent = ? AND high = ?",
            (high, int(conversation.0), int(agent.0), i64::MAX),
        )
    }

    fn message_sent(&mut self, event: &MailEvent) -> Result<()> {
        let MailEvent::MessageSent {
            message,
            conversation,
            from,
            body,
            reply_to,
            task,
            request,
            ..
        } = event
        else {
            return Ok(());
        };
        let text = self.words_of(body)?;
        let reply_to = match reply_to {
            Some(answered) if self.is_in(*answered, *conversation)? => Some(*answered),
            _ => None,
        };
        self.run(
            "INSERT INTO message VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                int(message.0),
                int(conversation.0),
                int(from.0),
                int(body.id.0),
                reply_to.map(|m| int(m.0)),
                task.map(|t| int(t.0)),
                request,
                self.now()
            ],
        )?;
        self.requested(*message, *conversation, *from, *request)?;
        if let Some(text) = text {
            texts::message(self.db, Way::In, int(message.0), &text)?;
        }
        Ok(())
    }

    /// A message's sender says what it replies to. That counts only within one conversation, so
    /// that nobody links a message to a thread that it does not belong to.
    fn is_in(&self, message: MessageId, conversation: ConversationId) -> Result<bool> {
        let sql = "SELECT 1 FROM message WHERE id = ? AND conversation = ?";
        let mut query = self.db.prepare_cached(sql)?;
        Ok(query.exists((int(message.0), int(conversation.0)))?)
    }
}
