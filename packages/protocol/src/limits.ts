/**
 * Every limit of the public contract, with its unit last in the name. Some are defaults of gateway
 * settings (see `services/gateway/src/config.ts`); the contract fixes the others.
 */
export const LIMITS = {
  /** Length of a room id, in characters. */
  roomIdCharsMax: 64,
  /** Length of a token, in characters. */
  tokenCharsMax: 8_192,
  /** Length of a name and a password at sign-in, in UTF-16 code units. */
  usernameCharsMax: 256,
  passwordCharsMax: 1_024,
  /** Length of a user id (a token's `sub`), in characters. */
  userIdCharsMax: 128,
  /** Length of a display name, in code points. */
  nameCharsMax: 64,
  /** Length of a room's title, in code points. */
  titleCharsMax: 128,
  /** Length of a room's topic, in code points. */
  topicCharsMax: 512,
  /** Length of an announcement to all users, in code points. */
  announcementCharsMax: 500,
  /** Length of the reason of an act or a report, in code points. */
  reasonCharsMax: 512,
  /** Duration of a kick, a ban or a mute, in milliseconds, if it has an end: up to 10 years. */
  sanctionMsMin: 1,
  sanctionMsMax: 10 * 365 * 24 * 60 * 60 * 1_000,
  /** Duration of a kick from a public room if none is given. */
  kickMsDefault: 60_000,
  /** Longest pause between two messages of one member in slow mode, in seconds. */
  slowModeSMax: 21_600,
  /** Maximum members with a role, and maximum bans, kicks and mutes, in one room. */
  roomPeopleMax: 5_000,
  /** Open reports in one room, and of one member in one room. */
  reportsPerRoomMax: 1_000,
  reportsPerMemberMax: 20,
  /** Users whom one message mentions. */
  mentionsMax: 50,
  /** Size of the emoji of a reaction, in bytes of UTF-8. */
  emojiBytesMax: 32,
  /** Different emoji on one message. */
  emojiPerMessageMax: 20,
  /** Users named for each emoji of a message: the first ones who reacted. */
  reactionUsersShown: 10,
  /** Edits of one message. */
  editsPerMessageMax: 1_000,
  /** Pinned messages of one room. */
  pinsPerRoomMax: 100,
  /** Rooms in the list of one user: memberships, direct rooms and followed public rooms. */
  roomsPerUserMax: 5_000,
  /** Larger rooms have no receipts, no list of readers and no inbox event for `@room`. */
  receiptMembersMax: 200,
  /** Length of the text in an inbox event, in code points. A longer text is cut. */
  inboxTextCodePointsMax: 200,
  /** Users with a read position in one room. */
  readPositionsPerRoomMax: 100_000,
  /** Users in one `GET /presence`. */
  presenceUsersMax: 100,
  /** Length of a presence status text, in code points. */
  statusTextCharsMax: 128,
  /** Length of a `clientMsgId`, in printable ASCII characters. */
  clientMsgIdCharsMax: 64,
  /** Length of a text after trimming, in Unicode code points. */
  textCodePointsMax: 4_000,
  /** Size of a text as given, in bytes of UTF-8. */
  textBytesMax: 16_384,
  /** Length of an epoch, in characters. */
  epochCharsMax: 32,
  /** Entries in one page of history or in the answer to a join without `since`. */
  pageEntriesMax: 200,
  pageEntriesDefault: 50,
  /** Maximum entries and bytes of a gap that a resume closes in one room. */
  resumeEntriesMax: 1_000,
  resumeBytesMax: 1_048_576,
  /** Length of a search's query and of the snippet of a result, in UTF-16 code units. */
  searchQueryCharsMax: 256,
  snippetCharsMax: 200,
  /** Messages in one page of a search, also with a larger `limit`. */
  searchPageMax: 50,
  searchPageDefault: 20,
  /** Size of one packet from a client, in bytes. A larger one closes the transport. */
  packetBytesMax: 131_072,
  /** Nesting depth of JSON from clients. The contract's deepest payload has five levels. */
  jsonDepthMax: 16,
  /** Messages of one user over the whole cluster: a token bucket. */
  userMessagesPerSecond: 20,
  userMessagesBurst: 100,
  /** Joins, and typing events, of one user over the whole cluster: token buckets. */
  userJoinsPerSecond: 10,
  userJoinsBurst: 400,
  userTypingPerSecond: 5,
  userTypingBurst: 50,
  /** Public rooms that a user or a guest created, directly or by sending the first message. */
  userRoomsMax: 200,
  guestRoomsMax: 20,
  userRoomsPerHour: 20,
  guestRoomsPerHour: 5,
  /** Events of one connection: a token bucket. */
  connectionEventsPerSecond: 50,
  connectionEventsBurst: 200,
  /** Bytes of larger packets of one connection: a token bucket. */
  connectionBytesPerSecond: 250_000,
  connectionBytesBurst: 2_000_000,
  /** Requests of one connection in progress. */
  connectionRequestsMax: 250,
  /** Joined rooms of one connection. */
  roomsPerConnectionMax: 200,
  /** Connections of one user on one node. */
  connectionsPerUserMax: 20,
  /**
   * The same over the whole cluster. It applies to users with more than a few connections on a
   * node.
   */
  connectionsPerUserClusterMax: 100,
  /** Newest entries of a room that are always kept. */
  retentionEntriesMin: 10_000,
  /** Beyond that number, entries are kept up to this number and age, whichever is smaller. */
  retentionEntriesMax: 100_000,
  retentionAgeMs: 7 * 24 * 60 * 60 * 1_000,
  /** Presence of larger rooms has counts only, without names. */
  largeRoomUsers: 200,
  /** A client hides a typing user after this time without another typing event. */
  typingTimeoutMs: 6_000,
} as const;
