package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/integration"
	"github.com/tameflare/tameflare/domain/team"
)

// SlackMessage is where an approval's card stands in Slack, and as which
// change of the approval it shows it.
type SlackMessage struct {
	ApprovalID string `bun:",pk"`
	Channel    string `bun:",pk"`
	TeamID     string
	TS         string `bun:"ts"`
	Seq        int64
}

// SlackPerson is a Slack account that one of a team's people has linked.
type SlackPerson struct {
	TeamID    string `bun:",pk"`
	Workspace string `bun:",pk"`
	SlackUser string `bun:",pk"`
	UserID    string
	Name      string // of the account, in Slack
	LinkedAt  time.Time
}

// SlackMessage returns where an approval's card stands in a channel. It fails
// with fault.NotFound where there is none.
func (s *Store) SlackMessage(ctx context.Context, approvalID, channel string) (SlackMessage, error) {
	var m SlackMessage
	ok, err := found(s.db.NewSelect().Model(&m).ModelTableExpr("slack_messages AS slack_message").
		Where("approval_id = ?", approvalID).Where("channel = ?", channel).Scan(ctx))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "There is no card of this request in that channel.", nil)
	}
	return m, translate(err)
}

// SlackMessages returns where an approval's cards stand.
func (s *Store) SlackMessages(ctx context.Context, approvalID string) ([]SlackMessage, error) {
	var ms []SlackMessage
	err := s.db.NewSelect().Model(&ms).ModelTableExpr("slack_messages AS slack_message").Where("approval_id = ?", approvalID).Order("channel").Scan(ctx)
	return ms, translate(err)
}

// InsertSlackMessage writes where a card was posted. It fails with
// fault.Conflict where another was posted there meanwhile.
func (s *Store) InsertSlackMessage(ctx context.Context, m SlackMessage) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&m).ModelTableExpr("slack_messages").Exec(ctx)
		return err
	})
}

// ShownInSlack writes which change of an approval a card shows now.
func (s *Store) ShownInSlack(ctx context.Context, m SlackMessage) error {
	return s.write(ctx, func(tx bun.Tx) error {
		_, err := tx.NewUpdate().Table("slack_messages").Set("seq = ?", m.Seq).
			Where("approval_id = ?", m.ApprovalID).Where("channel = ?", m.Channel).Where("ts = ?", m.TS).Where("seq < ?", m.Seq).Exec(ctx)
		return err
	})
}

// SlackPerson returns whose a Slack account is. It fails with fault.NotFound.
func (s *Store) SlackPerson(ctx context.Context, teamID, workspace, slackUser string) (SlackPerson, error) {
	var p SlackPerson
	ok, err := found(s.db.NewSelect().Model(&p).ModelTableExpr("slack_people AS slack_person").
		Where("team_id = ?", teamID).Where("workspace = ?", workspace).Where("slack_user = ?", slackUser).Scan(ctx))
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "This Slack account is not linked.", nil)
	}
	return p, translate(err)
}

// SlackPeople returns the team's linked accounts, the oldest first, of those
// who are in the team still.
func (s *Store) SlackPeople(ctx context.Context, teamID string) ([]SlackPerson, error) {
	var ps []SlackPerson
	err := s.db.NewSelect().Model(&ps).ModelTableExpr("slack_people AS slack_person").Where("slack_person.team_id = ?", teamID).
		Where("EXISTS (SELECT 1 FROM memberships AS m WHERE m.team_id = slack_person.team_id AND m.user_id = slack_person.user_id)").
		Order("linked_at", "slack_user").Scan(ctx)
	return ps, translate(err)
}

// AddSlackCode adds a code, by its hash, that links a Slack account to a user.
// Earlier codes of theirs are worth nothing from then on.
func (s *Store) AddSlackCode(ctx context.Context, hash, teamID, userID string, now, expires time.Time) error {
	return s.write(ctx, func(tx bun.Tx) error {
		if _, err := tx.NewDelete().Table("slack_codes").Where("expires_at <= ? OR (team_id = ? AND user_id = ?)", now, teamID, userID).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO slack_codes (hash, team_id, user_id, expires_at) VALUES (?, ?, ?, ?)", hash, teamID, userID, expires)
		return err
	})
}

type slackCode struct {
	Hash   string
	UserID string
}

// LinkSlack uses up a code, by its hash, and links p to whoever had it made,
// instead of the account that they had in that workspace. It records the event
// that e makes of them. It fails with fault.NotFound where the code is none of
// the team's, used or over, and with fault.Conflict where p is somebody else's.
func (s *Store) LinkSlack(ctx context.Context, hash string, p SlackPerson, e func(userID string) audit.Event) (SlackPerson, error) {
	none := fault.New(fault.NotFound, "There is no such code.", nil)
	err := s.write(ctx, func(tx bun.Tx) error {
		if err := s.lockTeam(ctx, tx, p.TeamID); err != nil {
			return err
		}
		var code slackCode
		ok, err := found(tx.NewSelect().Model(&code).ModelTableExpr("slack_codes AS slack_code").Column("hash", "user_id").
			Where("hash = ?", hash).Where("team_id = ?", p.TeamID).Where("expires_at > ?", p.LinkedAt).Scan(ctx))
		if err != nil {
			return err
		}
		if !ok {
			return none
		}
		p.UserID = code.UserID
		if r, err := role(ctx, tx, p.TeamID, p.UserID); err != nil {
			return err
		} else if r == team.Nobody {
			return none
		}
		res, err := tx.NewDelete().Table("slack_codes").Where("hash = ?", hash).Exec(ctx)
		if err := swapped(res, err, none); err != nil { // somebody was faster
			return err
		}
		if _, err := tx.NewDelete().Table("slack_people").Where("team_id = ?", p.TeamID).Where("workspace = ?", p.Workspace).Where("user_id = ?", p.UserID).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&p).ModelTableExpr("slack_people").Exec(ctx); err != nil {
			if taken(err) {
				return fault.New(fault.Conflict, "This Slack account is linked to somebody else. They, or an owner or admin, can unlink it in the dashboard.", err)
			}
			return err
		}
		return record(ctx, tx, p.TeamID, e(p.UserID))
	})
	return p, err
}

// UnlinkSlack takes a Slack account away from a user. It fails with
// fault.NotFound where it is not theirs.
func (s *Store) UnlinkSlack(ctx context.Context, p SlackPerson, e audit.Event) error {
	return s.tx(ctx, p.TeamID, e, func(tx bun.Tx) error {
		res, err := tx.NewDelete().Table("slack_people").Where("team_id = ?", p.TeamID).Where("workspace = ?", p.Workspace).
			Where("slack_user = ?", p.SlackUser).Where("user_id = ?", p.UserID).Exec(ctx)
		return swapped(res, err, fault.New(fault.NotFound, "This Slack account is not linked.", nil))
	})
}

// SlackIntegrations returns what is switched on, of all teams.
func (s *Store) SlackIntegrations(ctx context.Context) ([]integration.Integration, error) {
	var is []integration.Integration
	err := s.db.NewSelect().Model(&is).Where("kind = ?", integration.Slack).Where("enabled").Order("id").Scan(ctx)
	return is, translate(err)
}

// LastProof returns when somebody, signed in to a team now, last proved who
// they are; zero where they have not.
func (s *Store) LastProof(ctx context.Context, teamID, userID string, now time.Time) (time.Time, error) {
	var session team.Session
	_, err := found(s.db.NewSelect().Model(&session).Where("team_id = ?", teamID).Where("user_id = ?", userID).
		Where("expires_at > ?", now).Where("confirmed_at IS NOT NULL").Order("confirmed_at DESC").Limit(1).Scan(ctx))
	return session.ConfirmedAt, translate(err)
}

// RecordEvent records what changed nothing: somebody tried.
func (s *Store) RecordEvent(ctx context.Context, teamID string, e audit.Event) error {
	return s.tx(ctx, teamID, e, func(bun.Tx) error { return nil })
}
