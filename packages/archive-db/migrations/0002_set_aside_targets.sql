-- Up Migration

-- The message that an edit changed; null for other entries. A deletion of that message also erases
-- its edits here. It stays when the text is erased.
ALTER TABLE set_aside ADD COLUMN target bigint GENERATED ALWAYS AS (
  CASE WHEN head LIKE '%"type":"message.edit"%' THEN substring(tail FROM '^"data":\{"seq":(\d+)')::bigint END
) STORED;
CREATE INDEX set_aside_by_target ON set_aside (room, target) WHERE target IS NOT NULL;

-- Texts of messages that were deleted before this release. The message itself is still known.
UPDATE set_aside s SET tail = '"data":{"seq":' || s.target || '},"erased":true'
  FROM messages m WHERE m.room = s.room AND m.seq = s.target AND m.deleted_ts IS NOT NULL
  AND s.tail NOT LIKE '%"erased":true';

-- Down Migration

ALTER TABLE set_aside DROP COLUMN target;
