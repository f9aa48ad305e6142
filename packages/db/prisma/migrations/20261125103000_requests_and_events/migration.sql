-- CreateTable
CREATE TABLE "idempotent_request" (
    "id" BYTEA NOT NULL,
    "fingerprint" BYTEA NOT NULL,
    "holder" UUID NOT NULL,
    "lease_until" TIMESTAMPTZ(3) NOT NULL,
    "committed" BOOLEAN NOT NULL DEFAULT false,
    "status" INTEGER,
    "content_type" TEXT,
    "sealed" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotent_request_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "idempotent_request_created_at_idx" ON "idempotent_request"("created_at");

-- What Prisma's schema has no words for.

ALTER TABLE "idempotent_request" ADD CONSTRAINT "idempotent_request_answered" CHECK (
    ("status" IS NULL) = ("content_type" IS NULL) AND ("status" IS NULL) = ("sealed" IS NULL));

-- Whoever writes to the audit log wakes those who follow it; one notification per transaction.
CREATE FUNCTION "warren_notify_event"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('warren_event', '');
    RETURN NULL;
END $$;
CREATE TRIGGER "audit_log_notify" AFTER INSERT ON "audit_log" FOR EACH STATEMENT EXECUTE FUNCTION "warren_notify_event"();
