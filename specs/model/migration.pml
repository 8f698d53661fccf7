/*
 * A deployment moves from one node (s) to another (d): sections 6 and 10 of ../protocol.md, for the model checker spin.
 *
 *   spin -a migration.pml && gcc -O2 -DCOLLAPSE -o pan pan.c && ./pan -a -N safe && ./pan -a -N alive
 *
 * Every run ends, since rounds, writes, crashes and repeated messages are counted. `alive` then says: however it goes,
 * in the end somebody serves. A person's word, a restored backup or a target that breaks may come at any time, but
 * nobody waits for it: once `people` are gone, none of these comes any more.
 *
 * With -DBACKUPS either node may be brought back as it was at some time of the session; nobody tells it. With RESTORES the
 * source is brought back from before the session, and its people know.
 *
 * Each of these, given to spin as -D, breaks one rule, and the claim that stands before it:
 *   harmless   IMPATIENT   the source serves again when it has waited long enough after MOVE
 *   alive      OBLIGED     the target cannot reject after MOVE
 *   harmless   UNFROZEN    services go on writing during the last round
 *   harmless   UNBOUND     a vote counts for whatever manifest is the last
 *   alive      LATEVOTE    a vote counts although the source has thawed
 *   harmless   TRUSTING    a restored backup serves without asking the record
 *   harmless   LOOKING     a restored backup serves if the record names it, and raises no epoch
 *   harmless   EARLY       the target serves before the record names it
 *   alive      FORGETFUL   there is no inbox: a message counts as often as it comes
 *   harmless   HASTY       a message is sent before the state is kept, and a crash comes between
 *   alive      MUTE        the state is kept before the message, and a crash comes between
 *   alive      ONECHAIN    all messages of a session are one chain, and a fork stops the session
 *   harmless   RELENTING   the source thaws after MOVE
 *   restful    RESTLESS    the source thaws as often as a vote does not come
 *   harmless   GUESSING    a node that was brought back does not ask what it was heard saying
 *   alive      DEAF        nobody says again what such a node has forgotten to have heard
 *   alive      SOONER      the source has the record changed before MOVE was heard
 */
#ifndef ROUNDS
#define ROUNDS 2
#endif
#ifndef RESTORES
#define RESTORES true
#endif
#ifdef BACKUPS
#define MODULO 16
#define CAPACITY 8
#else
#define MODULO 4
#define CAPACITY 4
#endif
#define RESTS 3
#define WRITES 1
/* Being brought back is a crash, and worse. */
#ifdef BACKUPS
#define CRASHES 0
#else
#define CRASHES 1
#endif

mtype:message = { OFFER, ACCEPT, REJECT, MANIFEST, FINAL, ANNOUNCE, THAW, VOTE, MOVE, ACTIVE, WITHDRAW, ERASED };
mtype:state = {
	planned, offered, agreed, copying, frozen, voted, committed, done, erased, taken_back, refused, withdrawn, dropped,
	issued, asked, receiving, verifying, serving, closed, stopped
};

/* What each side keeps: its state, and of the last manifest the round and how many writes are in it. */
mtype:state s = planned, d = issued;
byte sRound, dRound, sIn, dIn;
/* Writes in the data of each, and how many were acknowledged to users. */
byte sData, dData, copy, acknowledged;
/* The epoch in which each one's data counts, and whether it has seen the record say so since it was started. */
byte sEpoch = 1, dEpoch;
bool sLooked = true, dLooked;
bool sRestored, able = true, people = true;
bool rehearsed, accused;
byte crashes;
/* How often services have rested. */
byte rests;

/* An outbox each, first in first out, with each message's number, and the number that the other side processed last: modulo 4
   where a message is only ever compared with the one before it. */
chan toD = [CAPACITY] of { mtype:message, byte, byte, byte, byte };
chan toS = [CAPACITY] of { mtype:message, byte, byte, byte, byte };
byte sSaid, dSaid, sHeard, dHeard;
byte again;
/* The message that is being processed. */
hidden mtype:message mKind;
hidden byte mRound, mIn, mKnown, mNumber;

/* The domain's record: epoch, and whose it is; and the updates that may still come to the name server. */
byte epoch = 1;
bool isD;
bool askNext, askBack, askRaise;

#ifdef BACKUPS
/* Which node has been backed up: 1 the source, 2 the target, 3 it was brought back; which of them does not know yet what it
   has forgotten; and whether it is the target that has forgotten that it serves, and waits for people. */
byte kept, unsure;
bool helpless;
/* As it was then, and all that it has heard since. */
mtype:state bState;
byte bRound, bIn, bData, bEpoch, bSaid, bHeard, bCopy, bRests;
bool bRehearsed;
/* A side has learnt that it has forgotten what it said. */
bool sLost, dLost;
chan missed = [CAPACITY] of { mtype:message, byte, byte, byte, byte };
#define S_UNSURE (unsure == 1)
#define D_UNSURE (unsure == 2)
#define S_BACK (kept == 3 && unsure == 0)
#else
#define S_UNSURE false
#define D_UNSURE false
#define S_BACK false
#define helpless false
#define sLost false
#define dLost false
#endif

#define S_SERVES (sLooked && (sRestored || s == planned || s == offered || s == agreed || s == copying || \
	s == taken_back || s == refused || s == withdrawn || s == dropped))
#define D_SERVES (dLooked && (d == serving || d == closed))
#ifdef UNFROZEN
#define S_WRITES (S_SERVES || (sLooked && (s == frozen || s == voted)))
#else
#define S_WRITES S_SERVES
#endif
#define MOVED (s == committed || s == done || s == erased || s == taken_back)

ltl safe { [] (
	!(S_SERVES && D_SERVES) &&
	(S_SERVES -> sData == acknowledged) && (D_SERVES -> dData == acknowledged) &&
	(S_SERVES -> !isD && epoch == sEpoch) && (D_SERVES -> isD && epoch == dEpoch) &&
	(s == erased -> (d == serving || d == closed || helpless || D_UNSURE)) &&
	rests <= RESTS && !accused
) }
ltl alive { <> [] (S_SERVES || D_SERVES || helpless) }
/* As safe, but what the record says is left out, and that nobody is accused: the harm itself. */
ltl harmless { [] (
	!(S_SERVES && D_SERVES) && (S_SERVES -> sData == acknowledged) && (D_SERVES -> dData == acknowledged)
) }
ltl restful { [] (rests <= RESTS) }
#define NEXT(n) ((n + 1) % MODULO)

#ifdef EARLY
#define NAMED true
#else
#define NAMED (epoch == 2 && isD)
#endif

/* In a common chain a message names how many messages its signer knew. */
#ifdef ONECHAIN
#define KNOWN(said, heard) ((said + heard) % 4)
#else
#define KNOWN(said, heard) 0
#endif
inline sSay(what) { sSaid = NEXT(sSaid); toD ! what, sSaid, sRound, sIn, KNOWN(sSaid, sHeard) }
inline dSay(what) { dSaid = NEXT(dSaid); toS ! what, dSaid, dRound, dIn, KNOWN(dSaid, dHeard) }

inline rise(to, who) { assert(to > epoch); epoch = to; isD = who }

#define S_COULD_SEND (!sRestored && !S_UNSURE && nfull(toD))
#define D_COULD_SEND (!D_UNSURE && nfull(toS))

#ifdef SOONER
#define MOVE_HEARD true
#else
#define MOVE_HEARD (dHeard == sSaid)
#endif
#ifdef RESTLESS
#define MAY_THAW true
#else
#define MAY_THAW (rests < RESTS)
#endif

active proctype Source() {
end:	do
	:: atomic { s == planned && S_COULD_SEND -> s = offered; sSay(OFFER) }
	:: atomic { s == planned && people && !sRestored && !S_UNSURE -> s = dropped }
	/* A reservation is over, or a person calls it off. */
	:: atomic { (s == offered || s == agreed || s == copying) && S_COULD_SEND -> s = withdrawn; sSay(WITHDRAW) }
	:: atomic { (s == frozen || s == voted) && (people || !MAY_THAW) && S_COULD_SEND -> s = withdrawn; sSay(WITHDRAW) }
	:: atomic { (s == agreed || s == copying) && sRound < ROUNDS && S_COULD_SEND ->
		s = copying; sRound++; sIn = sData; sSay(MANIFEST) }
	:: atomic { (s == agreed || s == copying) && sRound < ROUNDS && S_COULD_SEND ->
		s = frozen; rests++; sRound++; sIn = sData; sSay(FINAL) }
	/* The freeze has lasted long enough, or for any other reason. */
	:: atomic { (s == frozen || s == voted) && MAY_THAW && S_COULD_SEND -> s = agreed; sSay(THAW) }
#ifdef RELENTING
	:: atomic { s == committed && S_COULD_SEND -> s = agreed; sSay(THAW) }
#endif
	:: atomic { s == voted && S_COULD_SEND -> s = committed; sSay(MOVE) }
	:: atomic { s == done && S_COULD_SEND -> s = erased; sSay(ERASED) }
	:: atomic { s == committed && !sRestored && !S_UNSURE && MOVE_HEARD && !askNext && epoch == 1 -> askNext = true }
#ifdef BACKUPS
	/* It has its domain back, and now the target hears that it is over, as the next that it hears. */
	:: atomic { sLost && sLooked && (s == offered || s == agreed || s == copying || s == frozen || s == voted) ->
		s = withdrawn; sSaid = dHeard; sSay(WITHDRAW) }
#endif
#ifdef IMPATIENT
	:: atomic { s == committed && !sRestored -> s = refused }
#endif
#ifdef HASTY
	:: atomic { s == voted && S_COULD_SEND && crashes < CRASHES -> crashes++; sSay(MOVE); sSaid = (sSaid + MODULO - 1) % MODULO }
#endif
#ifdef MUTE
	:: atomic { s == voted && !sRestored && crashes < CRASHES -> crashes++; s = committed }
#endif
	od
}

active proctype Target() {
end:	do
	:: atomic { d == issued -> d = dropped }
	:: atomic { d == asked && able && D_COULD_SEND -> d = agreed; dSay(ACCEPT) }
	:: atomic { d == receiving && able && D_COULD_SEND -> d = agreed; rehearsed = false; dSay(ANNOUNCE) }
	:: atomic { d == agreed && dRound > 0 && able && !rehearsed && D_COULD_SEND -> rehearsed = true; dSay(ANNOUNCE) }
	:: atomic { d == verifying && able && D_COULD_SEND -> d = voted; copy = dIn; dSay(VOTE) }
	:: atomic { d == committed && !D_UNSURE && !askNext && epoch == 1 -> askNext = true }
	:: atomic { d == committed && able && NAMED && D_COULD_SEND ->
		d = serving; dEpoch = 2; dLooked = true; dData = copy; dSay(ACTIVE) }
	/* A reservation is over, or the services cannot run here. */
	:: atomic { (d == asked || d == agreed || d == receiving || d == verifying) && D_COULD_SEND ->
		d = refused; dSay(REJECT) }
	:: atomic { d == voted && (people || !able || (sRestored && !sLost)) && D_COULD_SEND -> d = refused; dSay(REJECT) }
#ifndef OBLIGED
	:: atomic { d == committed && D_COULD_SEND -> d = refused; dSay(REJECT) }
#endif
	od
}

#ifdef UNBOUND
#define IS_MANIFEST true
#else
#define IS_MANIFEST (mRound == sRound && mIn == sIn)
#endif
#ifdef ONECHAIN
#define S_FORKED (mKnown != KNOWN(sSaid, sHeard + 1))
#define D_FORKED (mKnown != KNOWN(dSaid, dHeard + 1))
#else
#define S_FORKED false
#define D_FORKED false
#endif

/* What a side does that is told what cannot be said: the session stops, and before MOVE the source just goes on. */
inline sStop() { accused = true; if :: MOVED -> s = stopped :: else -> s = refused fi }
inline dStop() { accused = true; if :: d == serving || d == closed -> skip :: else -> d = stopped fi }

inline sHear() {
	if
	:: S_FORKED -> sStop()
	:: else ->
		if
		:: s == offered && mKind == ACCEPT -> s = agreed
		:: (s == copying || s == agreed) && mKind == ANNOUNCE && mRound == sRound -> s = agreed
		:: (s == copying || s == agreed) && mKind == ANNOUNCE && mRound != sRound -> skip
#ifdef LATEVOTE
		:: (s == agreed || s == copying) && mKind == VOTE && mRound == sRound && mIn == sIn -> s = voted
#endif
		:: (s == agreed || s == copying) && mKind == VOTE -> skip
		:: s == frozen && mKind == VOTE && IS_MANIFEST -> s = voted
		:: s == frozen && (mKind == ANNOUNCE || (mKind == VOTE && !IS_MANIFEST)) -> skip
		:: (s == offered || s == agreed || s == copying || s == frozen || s == voted) && mKind == REJECT -> s = refused
		:: s == committed && mKind == ACTIVE -> s = done
		:: s == committed && mKind == REJECT ->
			s = taken_back; sEpoch = 3; sLooked = false; askBack = true
		:: dLost && (s == refused || s == taken_back || s == done || s == erased) && mKind == REJECT -> skip
		:: s == withdrawn && (mKind == ACCEPT || mKind == REJECT || mKind == ANNOUNCE || mKind == VOTE) -> skip
		:: else -> sStop()
		fi
	fi
}

inline dHear() {
	if
	:: D_FORKED -> dStop()
	:: else ->
		if
		:: d == issued && mKind == OFFER -> d = asked
		:: d == dropped && (mKind == OFFER || mKind == WITHDRAW) -> skip
		:: (d == asked || d == agreed || d == receiving || d == verifying || d == voted) && mKind == WITHDRAW ->
			d = withdrawn
		:: (d == agreed || d == receiving) && mKind == MANIFEST -> d = receiving; dRound = mRound; dIn = mIn
		:: (d == agreed || d == receiving) && mKind == FINAL -> d = verifying; dRound = mRound; dIn = mIn
		:: (d == verifying || d == voted) && mKind == THAW -> d = agreed; rehearsed = true
		:: d == voted && mKind == MOVE -> d = committed
#ifdef UNBOUND
		:: d == verifying && mKind == MOVE -> d = committed
#endif
		:: d == serving && mKind == ERASED -> d = closed
		:: d == refused && (mKind == MANIFEST || mKind == FINAL || mKind == THAW || mKind == MOVE || mKind == WITHDRAW) ->
			skip
		/* Who has forgotten what it said cannot know whether its last word still makes sense. */
		:: sLost && (d == committed || d == serving || d == closed || d == stopped || d == withdrawn) &&
			mKind == WITHDRAW -> skip
#ifdef RELENTING
		:: d == committed && mKind == THAW -> skip
#endif
		:: else -> dStop()
		fi
	fi
}

#ifdef BACKUPS
inline missing(who, number) {
	if :: kept == who -> missed ! mKind, number, mRound, mIn, mKnown :: else -> skip fi
}
#else
inline missing(who, number) { skip }
#endif

/* A message stays in its outbox until its answer is there; until then it may come again. */
active proctype Network() {
end:	do
	:: atomic { !D_UNSURE && !helpless && toD ? [mKind, eval(NEXT(dHeard)), mRound, mIn, mKnown] ->
		toD ? <mKind, eval(NEXT(dHeard)), mRound, mIn, mKnown>; dHear(); dHeard = NEXT(dHeard); missing(2, dHeard) }
	:: atomic { toD ? mKind, eval(dHeard), mRound, mIn, mKnown }
	:: atomic { !sRestored && !S_UNSURE && toS ? [mKind, eval(NEXT(sHeard)), mRound, mIn, mKnown] ->
		toS ? <mKind, eval(NEXT(sHeard)), mRound, mIn, mKnown>; sHear(); sHeard = NEXT(sHeard); missing(1, sHeard) }
	:: atomic { toS ? mKind, eval(sHeard), mRound, mIn, mKnown }
#ifdef FORGETFUL
	:: atomic { again < 1 && toD ? [mKind, eval(dHeard), mRound, mIn, mKnown] ->
		toD ? <mKind, eval(dHeard), mRound, mIn, mKnown>; again++; dHear() }
	:: atomic { again < 1 && !sRestored && toS ? [mKind, eval(sHeard), mRound, mIn, mKnown] ->
		toS ? <mKind, eval(sHeard), mRound, mIn, mKnown>; again++; sHear() }
#endif
	od
}

/* Updates with a prerequisite: each applies if the record is as it was when it was sent, however late it comes. */
active proctype Zone() {
end:	do
	:: atomic { askNext && epoch == 1 -> rise(2, true) }
	:: atomic { askBack && (epoch == 1 || (epoch == 2 && isD)) -> rise(3, false) }
	:: atomic { askRaise && epoch == 1 -> rise(2, false) }
	od
}

active proctype World() {
end:	do
	:: atomic { S_WRITES && acknowledged < WRITES -> sData++; acknowledged++ }
	:: atomic { D_SERVES && acknowledged < WRITES -> dData++; acknowledged++ }
	:: atomic { crashes < CRASHES && sLooked -> crashes++; sLooked = false }
	:: atomic { crashes < CRASHES && dLooked -> crashes++; dLooked = false }
	:: atomic { dEpoch > 0 && !dLooked && !D_UNSURE && isD && epoch == dEpoch -> dLooked = true }
	:: atomic { !sRestored && !sLooked && !S_UNSURE && !isD && epoch == sEpoch -> sLooked = true }
	:: atomic { people -> people = false }
	:: atomic { people && able && d != serving && d != closed -> able = false }
	/* The source's machine goes back to a backup from before; what it said may be lost with the machine, or on its way. */
	:: atomic { RESTORES && !sRestored && people -> sRestored = true; sLooked = false; sData = 0;
#if defined(TRUSTING) || defined(LOOKING)
		sEpoch = 1
#else
		sEpoch = 2; askRaise = true
#endif
		}
	:: atomic { sRestored && !sLooked && toD ? [_, _, _, _, _] -> toD ? _, _, _, _, _ }
#ifdef TRUSTING
	:: atomic { sRestored && !sLooked -> sLooked = true; acknowledged = sData }
#elif defined(LOOKING)
	:: atomic { sRestored && !sLooked && !isD && epoch == 1 -> sLooked = true; acknowledged = sData }
#else
	:: atomic { sRestored && !sLooked && !isD && epoch == sEpoch -> sLooked = true; acknowledged = sData }
#endif
	/* Only the domain's owner can help a backup that is older than the record. */
	:: atomic { (sRestored || S_BACK) && !sLooked && (d == refused || d == withdrawn) && epoch > 1 && (isD || epoch != sEpoch) &&
		epoch < 5 -> rise(epoch + 1, false); sEpoch = epoch }
	od
}

#ifdef BACKUPS
inline least(one, other) { if :: other < one -> one = other :: else -> skip fi }

/* Leaves what is numbered so at most. */
inline until(box, last) {
	i = len(box);
	do
	:: i > 0 ->
		i--;
		box ? mKind, mNumber, mRound, mIn, mKnown;
		if :: mNumber <= last -> box ! mKind, mNumber, mRound, mIn, mKnown :: else -> skip fi
	:: else -> break
	od
}

/* What the side that was brought back has not heard, as it knows now, comes once more, and in order. */
inline repeat(box, heard) {
#ifndef DEAF
	do
	:: len(missed) > 0 ->
		missed ? mKind, mNumber, mRound, mIn, mKnown;
		last = mNumber;
		if :: mNumber > heard -> spare ! mKind, mNumber, mRound, mIn, mKnown :: else -> skip fi
	:: else -> break
	od;
	do
	:: len(box) > 0 ->
		box ? mKind, mNumber, mRound, mIn, mKnown;
		if :: mNumber > last && mNumber > heard -> spare ! mKind, mNumber, mRound, mIn, mKnown :: else -> skip fi
	:: else -> break
	od;
	do
	:: len(spare) > 0 -> spare ? mKind, mNumber, mRound, mIn, mKnown; box ! mKind, mNumber, mRound, mIn, mKnown
	:: else -> break
	od;
#endif
	last = 0
}

hidden byte i, last;
chan spare = [CAPACITY] of { mtype:message, byte, byte, byte, byte };

/* A node's people copy a backup of its data back. What it said and was not heard yet is gone with the machine. */
active proctype Memory() {
end:	do
	:: atomic { kept == 0 && people ->
		kept = 1; bState = s; bRound = sRound; bIn = sIn; bData = sData; bEpoch = sEpoch; bSaid = sSaid; bHeard = sHeard;
		bRests = rests }
	:: atomic { kept == 0 && people && d != issued && d != dropped ->
		kept = 2; bState = d; bRound = dRound; bIn = dIn; bData = dData; bEpoch = dEpoch; bSaid = dSaid; bHeard = dHeard;
		bCopy = copy; bRehearsed = rehearsed }
	/* Who does so has said that what users wrote there since is gone. */
	:: atomic { kept == 1 && people ->
		kept = 3;
		if :: d == serving || d == closed || dHeard > bSaid -> skip :: else -> least(acknowledged, bData) fi;
		s = bState; sRound = bRound; sIn = bIn; sData = bData; sEpoch = bEpoch; sSaid = bSaid; sHeard = bHeard; rests = bRests;
		sLooked = false; until(toD, bSaid);
		/* So is what it asked of the name server, unless it goes on asking. */
		if :: s == taken_back -> skip :: else -> askBack = false fi;
#ifndef GUESSING
		unsure = 1
#endif
		}
	:: atomic { kept == 2 && people ->
		kept = 3;
		if
		:: (d == serving || d == closed) && (bState == serving || bState == closed) -> least(acknowledged, bData)
		:: (d == serving || d == closed) && bState != serving && bState != closed -> least(acknowledged, copy)
		:: else -> skip
		fi;
		d = bState; dRound = bRound; dIn = bIn; dData = bData; dEpoch = bEpoch; dSaid = bSaid; dHeard = bHeard; copy = bCopy;
		rehearsed = bRehearsed; dLooked = false; until(toS, bSaid);
#ifndef GUESSING
		unsure = 2
#endif
		}
	/* It asks what the other one has heard of it, and says what it has heard. */
	:: atomic { unsure == 1 && dHeard <= bSaid -> repeat(toS, sHeard); unsure = 0 }
	:: atomic { unsure == 2 && sHeard <= bSaid -> repeat(toD, dHeard); unsure = 0 }
	:: atomic { unsure == 1 && dHeard > bSaid ->
		until(toD, 0); sRestored = true; sLost = true; sEpoch = 2; askRaise = true; unsure = 0 }
	:: atomic { unsure == 2 && sHeard > bSaid ->
		until(toS, 0);
		if
		:: s == done || s == erased -> helpless = true; d = stopped
		:: else ->
			if
			:: d == asked || d == agreed || d == receiving || d == verifying || d == voted || d == committed ->
				d = refused; dLost = true; dSaid = sHeard; dSay(REJECT)
			:: else -> skip
			fi
		fi;
		unsure = 0 }
	od
}
#endif
