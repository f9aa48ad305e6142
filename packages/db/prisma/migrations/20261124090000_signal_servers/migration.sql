-- AlterTable
ALTER TABLE "node" ADD COLUMN "signal_port" INTEGER;

-- CreateTable
CREATE TABLE "signal_token" (
    "id" TEXT NOT NULL,
    "region" TEXT NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "used_by" BYTEA,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "signal_token_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "signal_server" (
    "id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "region" TEXT NOT NULL,
    "udp" TEXT,
    "tls" TEXT[],
    "key" BYTEA NOT NULL,
    "identity_key" BYTEA,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "signal_server_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "signal_server_identity_key_key" ON "signal_server"("identity_key");

-- What Prisma's schema has no words for.

ALTER TABLE "node" ADD CONSTRAINT "node_signal_port" CHECK (
    "signal_port" IS NULL OR ("signal_port" BETWEEN 1 AND 65535 AND "role" = 'bounce' AND "kind" = 'agent'));
ALTER TABLE "signal_token" ADD CONSTRAINT "signal_token_used_by" CHECK ("used_by" IS NULL OR octet_length("used_by") = 32);
ALTER TABLE "signal_server" ADD CONSTRAINT "signal_server_words" CHECK (
    "kind" IN ('control', 'enrolled') AND octet_length("key") = 32
    AND ("kind" = 'enrolled') = ("identity_key" IS NOT NULL)
    AND ("identity_key" IS NULL OR octet_length("identity_key") = 32));
