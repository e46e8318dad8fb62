package model

// Mistakes that the exploration must find.
const (
	AnswerBeforeWrite  Mistake = "answer before the record is written at all"
	AnswerBeforeSync   Mistake = "answer before the fdatasync"
	MarkBeforeSync     Mistake = "write the watermark before the fdatasync"
	SameFileAfterFault Mistake = "go on with a journal file whose fdatasync failed"
	CloseBeforeNext    Mistake = "close a segment before the next journal exists"
	SealBeforeSync     Mistake = "seal a journal whose closing frame is not synced"
	RemoveJournalEarly Mistake = "remove the journal before the seal's folder is synced"
	NoSyncOnStart      Mistake = "build on names that only the kernel has"
	NoRenew            Mistake = "go on with journals that only the kernel has"
	DropLast           Mistake = "drop the last frame at every start"
	DropAnswered       Mistake = "drop a bad last frame although the watermark says that it was answered"
	ForgetCheckpoint   Mistake = "do not hold the state against the newest checkpoint"
	IdentityFirst      Mistake = "begin a log with its identity, before its journal"
	FreshStart         Mistake = "begin anew where the head is missing"
	NoProbe            Mistake = "answer before the stores were probed"
	IgnoreFork         Mistake = "take a fork for a store in trouble"
	Overwrite          Mistake = "put with overwriting"
	LeaveOnOneReceipt  Mistake = "empty the spool at the first store's receipt"
	RemoveBeforeRename Mistake = "remove a delivered segment before its seal is renamed"
	ReadAgain          Mistake = "ask again for a segment that is on its way out of the spool"
	ForgetHead         Mistake = "forget the newest seal"
	ForgetDelivered    Mistake = "forget the newest delivered seal while others wait"
	TakeHole           Mistake = "go on with a spool that lacks the seal before its oldest one"
)
