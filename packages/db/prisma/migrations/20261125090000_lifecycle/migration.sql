-- AlterTable
ALTER TABLE "api_key" ADD COLUMN     "expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "scopes" TEXT[] NOT NULL DEFAULT ARRAY['admin']::TEXT[];

-- AlterTable
ALTER TABLE "audit_log" ADD COLUMN     "tx" xid8 NOT NULL DEFAULT pg_current_xact_id();

-- AlterTable
ALTER TABLE "join_token" ADD COLUMN     "approval" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "name" TEXT;

-- AlterTable
ALTER TABLE "network" ADD COLUMN     "ephemeral_after_ms" BIGINT,
ADD COLUMN     "key_expiry_ms" BIGINT,
ADD COLUMN     "key_rotation_ms" BIGINT,
ADD COLUMN     "offline_tolerance_ms" BIGINT NOT NULL DEFAULT 604800000,
ADD COLUMN     "pools" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "settings" JSONB NOT NULL DEFAULT '{}';

-- AlterTable
ALTER TABLE "node" ADD COLUMN     "clone_noticed_at" TIMESTAMPTZ(3),
ADD COLUMN     "config_key_created_at" TIMESTAMPTZ(3),
ADD COLUMN     "config_key_hash" BYTEA,
ADD COLUMN     "disabled_at" TIMESTAMPTZ(3),
ADD COLUMN     "key_changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "key_expires_at" TIMESTAMPTZ(3),
ADD COLUMN     "overlap_until" TIMESTAMPTZ(3),
ADD COLUMN     "previous_public_key" TEXT,
ADD COLUMN     "previous_record" BYTEA,
ADD COLUMN     "previous_signature" BYTEA,
ADD COLUMN     "rotate_generation" BIGINT,
ADD COLUMN     "settings" JSONB NOT NULL DEFAULT '{}',
ALTER COLUMN "public_key" DROP NOT NULL;

-- CreateTable
CREATE TABLE "address_reservation" (
    "network_id" UUID NOT NULL,
    "prefix" TEXT NOT NULL,
    "name" TEXT,
    "note" TEXT NOT NULL DEFAULT '',
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "address_reservation_pkey" PRIMARY KEY ("network_id","prefix")
);

-- CreateTable
CREATE TABLE "preshared_key" (
    "network_id" UUID NOT NULL,
    "node_a" UUID NOT NULL,
    "node_b" UUID NOT NULL,
    "sealed" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "preshared_key_pkey" PRIMARY KEY ("node_a","node_b")
);

-- CreateIndex
CREATE INDEX "preshared_key_node_b_idx" ON "preshared_key"("node_b");

-- CreateIndex
CREATE INDEX "preshared_key_network_id_idx" ON "preshared_key"("network_id");

-- CreateIndex
CREATE INDEX "audit_log_tx_id_idx" ON "audit_log"("tx", "id");

-- CreateIndex
CREATE UNIQUE INDEX "node_config_key_hash_key" ON "node"("config_key_hash");

-- AddForeignKey
ALTER TABLE "address_reservation" ADD CONSTRAINT "address_reservation_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "preshared_key" ADD CONSTRAINT "preshared_key_network_id_fkey" FOREIGN KEY ("network_id") REFERENCES "network"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "preshared_key" ADD CONSTRAINT "preshared_key_node_a_fkey" FOREIGN KEY ("node_a") REFERENCES "node"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "preshared_key" ADD CONSTRAINT "preshared_key_node_b_fkey" FOREIGN KEY ("node_b") REFERENCES "node"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema has no words for.

ALTER TABLE "node" ADD CONSTRAINT "node_key_known" CHECK (
    "public_key" IS NOT NULL OR ("kind" = 'vanilla' AND "status" IN ('pending', 'revoked')));
ALTER TABLE "node" ADD CONSTRAINT "node_overlap_whole" CHECK (
    ("previous_public_key" IS NULL) = ("overlap_until" IS NULL)
    AND ("previous_record" IS NULL) = ("previous_signature" IS NULL)
    AND ("previous_record" IS NULL OR "previous_public_key" IS NOT NULL));
ALTER TABLE "node" ADD CONSTRAINT "node_disabled_waits" CHECK ("disabled_at" IS NULL OR "status" IN ('pending', 'revoked'));
ALTER TABLE "network" ADD CONSTRAINT "network_times" CHECK (
    "offline_tolerance_ms" >= 0 AND ("key_expiry_ms" IS NULL OR "key_expiry_ms" > 0)
    AND ("key_rotation_ms" IS NULL OR "key_rotation_ms" > 0) AND ("ephemeral_after_ms" IS NULL OR "ephemeral_after_ms" > 0));
ALTER TABLE "preshared_key" ADD CONSTRAINT "preshared_key_order" CHECK ("node_a" < "node_b");
